/*
 * Why a command cannot be executed: the kernel says ENOENT for a missing
 * interpreter and ENOEXEC for a foreign program, and the user is none the
 * wiser. This reads the file, after the fact.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "launch/state.h"

/* The beginning of a file, as far as it can be read. */
struct head {
    char bytes[4096];
    size_t length;
};

static void read_head(const char *path, struct head *head)
{
    FD_CLEANUP int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n = fd < 0 ? -1 : pread(fd, head->bytes, sizeof(head->bytes) - 1, 0);

    head->length = n < 0 ? 0 : (size_t)n;
    head->bytes[head->length] = 0;
}

static int is_marked_script(const struct head *head)
{
    return head->length >= 2 && memcmp(head->bytes, "#!", 2) == 0;
}

int launch_is_script(const char *path)
{
    struct head head;

    read_head(path, &head);
    /* With a good #! line the kernel had executed it. */
    return head.length && head.bytes[0] != ELFMAG0 && !is_marked_script(&head) &&
           !memchr(head.bytes, 0, head.length);
}

static const char *machine_name(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {{EM_386, "i386"},    {EM_X86_64, "x86_64"}, {EM_AARCH64, "aarch64"}, {EM_ARM, "arm"},
                 {EM_PPC64, "ppc64"}, {EM_S390, "s390x"},    {EM_RISCV, "riscv64"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].machine == machine)
            return names[i].name;
    return "another machine";
}

/* The machine that this program was compiled for. */
static unsigned own_machine(void)
{
    struct head head;
    Elf64_Ehdr elf;

    read_head("/proc/self/exe", &head);
    memcpy(&elf, head.bytes, sizeof(elf));
    return head.length < sizeof(elf) ? EM_NONE : elf.e_machine;
}

static int is_elf(const struct head *head)
{
    return head->length >= sizeof(Elf32_Ehdr) && memcmp(head->bytes, ELFMAG, SELFMAG) == 0;
}

/* The program interpreter that a 64-bit ELF file names, NULL where it names none within its first bytes. */
static const char *elf_interpreter(const struct head *head)
{
    Elf64_Ehdr elf;
    Elf64_Phdr segment;

    memcpy(&elf, head->bytes, sizeof(elf));
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_phentsize != sizeof(segment))
        return NULL;
    for (size_t i = 0; i < elf.e_phnum; i++) {
        if (elf.e_phoff > head->length || (i + 1) * sizeof(segment) > head->length - elf.e_phoff)
            return NULL;
        memcpy(&segment, head->bytes + elf.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type != PT_INTERP)
            continue;
        if (segment.p_offset >= head->length ||
            !memchr(head->bytes + segment.p_offset, 0, head->length - segment.p_offset))
            return NULL;
        return head->bytes + segment.p_offset;
    }
    return NULL;
}

int launch_touch_program(const char *path)
{
    struct head head;
    const char *interpreter;
    struct stat st;

    if (stat(path, &st) < 0)
        return 0;
    read_head(path, &head);
    interpreter = is_elf(&head) ? elf_interpreter(&head) : NULL;
    if (is_marked_script(&head)) {
        char *line = head.bytes + 2 + strspn(head.bytes + 2, " \t");

        line[strcspn(line, " \t\n")] = 0;
        interpreter = line;
    }
    if (interpreter && strcmp(interpreter, path) != 0)
        stat(interpreter, &st);
    return 1;
}

static int diagnose_elf(const struct launch *launch, const struct head *head, const char *path, int errnum,
                        struct err *err)
{
    const char *file = str_quote(launch->arena, path);
    const char *interpreter = elf_interpreter(head);
    Elf32_Ehdr elf; /* e_machine stands at the same place in both classes */

    memcpy(&elf, head->bytes, sizeof(elf));
    if (elf.e_ident[EI_DATA] == (BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB) &&
        errnum == ENOEXEC && elf.e_machine != own_machine())
        return err_set(err, ERR_COMMAND_NOT_EXECUTABLE,
                       "%s is a program for %s and this node is %s; use an image for this architecture", file,
                       machine_name(elf.e_machine), machine_name(own_machine()));
    if (errnum == ENOENT && interpreter)
        return err_set(
            err, ERR_COMMAND_NOT_EXECUTABLE,
            "%s needs the program interpreter %s, which the container does not have: it was linked for "
            "another distribution or libc",
            file, str_quote(launch->arena, interpreter));
    if (errnum == ENOENT)
        return err_set(err, ERR_COMMAND_NOT_EXECUTABLE,
                       "%s needs a program interpreter that the container does not have", file);
    return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s is a damaged program: %s", file, err_reason(errnum));
}

static int diagnose_script(const struct launch *launch, const struct head *head, const char *path, int errnum,
                           struct err *err)
{
    const char *file = str_quote(launch->arena, path);
    const char *start = head->bytes + 2 + strspn(head->bytes + 2, " \t");
    size_t length = strcspn(start, " \t\n");
    const char *interpreter = str_quote(launch->arena, arena_strndup(launch->arena, start, length));

    if (length && start[length - 1] == '\r')
        return err_set(
            err, ERR_COMMAND_NOT_EXECUTABLE,
            "%s is a script with CR line ends, so its interpreter is %s; convert it: sed -i 's/\\r$//' FILE",
            file, interpreter);
    return err_set(err, ERR_COMMAND_NOT_EXECUTABLE,
                   "%s is a script for %s, which the container does not have or cannot "
                   "execute: %s",
                   file, interpreter, err_reason(errnum));
}

static int diagnose_denied(const struct launch *launch, const char *path, const struct stat *st,
                           struct err *err)
{
    const char *file = str_quote(launch->arena, path);
    struct statvfs fs;

    if (S_ISDIR(st->st_mode))
        return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s is a directory, not a command", file);
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s is not a regular file", file);
    if (access(path, X_OK) < 0 && !(st->st_mode & 0111))
        return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s is not executable; chmod +x it", file);
    if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
        return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s lies on a file system that is mounted noexec",
                       file);
    return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s cannot be executed: permission denied", file);
}

static int diagnose_missing(const struct launch *launch, const char *path, int errnum, struct err *err)
{
    const struct plan_workdir *wanted = launch->plan->workdirs;
    const char *file = str_quote(launch->arena, path);

    if (*path != '/' && wanted->is_callers && !launch->workdir->is_callers)
        return err_set(
            err, ERR_COMMAND_NOT_FOUND,
            "command %s is not in the container: the current directory %s is not there, so the command "
            "would start in %s; show the directory with --bind",
            file, str_quote(launch->arena, wanted->path), str_quote(launch->arena, launch->workdir->path));
    return err_set(err, ERR_COMMAND_NOT_FOUND, "command %s is not in the container: %s", file,
                   err_reason(errnum));
}

/* The file itself cannot be looked at, for the reason ERRNUM. */
static int diagnose_unreachable(const struct launch *launch, const char *path, int errnum, struct err *err)
{
    const char *file = str_quote(launch->arena, path);

    if (errnum == ENOENT || errnum == ENOTDIR)
        return diagnose_missing(launch, path, errnum, err);
    if (errnum == ELOOP)
        return err_set(
            err, ERR_COMMAND_NOT_EXECUTABLE,
            "%s cannot be reached: it is a loop of symbolic links, or lies behind one; ls -l shows "
            "where they lead",
            file);
    return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s cannot be reached: %s", file, err_reason(errnum));
}

int launch_diagnose(const struct launch *launch, const char *path, int errnum, struct err *err)
{
    struct head head;
    struct stat st;

    if (errnum == E2BIG)
        return err_set(err, ERR_COMMAND_NOT_EXECUTABLE,
                       "the arguments and the environment are too large for the kernel; see ulimit -s");
    if (launch->plan->image_is_served && (errnum == ENOTCONN || errnum == ECONNABORTED))
        return err_set(err, ERR_SERVER,
                       "coracle-fuse, which serves the image %s, has ended; the system's log may say why",
                       str_quote(launch->arena, launch->plan->image));
    if (stat(path, &st) < 0)
        return diagnose_unreachable(launch, path, errno, err);
    if (!S_ISREG(st.st_mode))
        return diagnose_denied(launch, path, &st, err);
    read_head(path, &head);
    if (errnum == EACCES && (access(path, X_OK) < 0 || !is_marked_script(&head)))
        return diagnose_denied(launch, path, &st, err);
    if (is_elf(&head))
        return diagnose_elf(launch, &head, path, errnum, err);
    if (is_marked_script(&head))
        return diagnose_script(launch, &head, path, errnum, err);
    if (errnum == ENOEXEC && head.length == 0)
        return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s is an empty file",
                       str_quote(launch->arena, path));
    return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s cannot be executed: %s",
                   str_quote(launch->arena, path), err_reason(errnum));
}
