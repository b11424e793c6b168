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

static int is_elf(const struct head *head)
{
    return head->length >= sizeof(Elf32_Ehdr) && memcmp(head->bytes, ELFMAG, SELFMAG) == 0;
}

/* Of which machine an ELF file is: e_machine, which stands at one place in both classes, and EI_DATA. */
struct machine {
    unsigned number, order;
};

/* EM_NONE: it is no ELF file, or cannot be read. */
static struct machine machine_of(const char *path)
{
    struct machine machine = {EM_NONE, ELFDATANONE};
    struct head head;
    Elf32_Ehdr elf;

    read_head(path, &head);
    if (!is_elf(&head))
        return machine;
    memcpy(&elf, head.bytes, sizeof(elf));
    machine.order = elf.e_ident[EI_DATA];
    machine.number = machine.order == ELFDATA2MSB ? be16toh(elf.e_machine) : le16toh(elf.e_machine);
    return machine;
}

/* The kernel's name, uname(1), and that of images, GOARCH. */
struct machine_names {
    struct machine machine;
    const char *kernel, *image;
};

static const struct machine_names *machine_names(struct machine machine)
{
    static const struct machine_names known[] = {
        {{EM_386, ELFDATA2LSB}, "i386", "386"},          {{EM_X86_64, ELFDATA2LSB}, "x86_64", "amd64"},
        {{EM_AARCH64, ELFDATA2LSB}, "aarch64", "arm64"}, {{EM_ARM, ELFDATA2LSB}, "arm", "arm"},
        {{EM_PPC64, ELFDATA2LSB}, "ppc64le", "ppc64le"}, {{EM_PPC64, ELFDATA2MSB}, "ppc64", "ppc64"},
        {{EM_S390, ELFDATA2MSB}, "s390x", "s390x"},      {{EM_RISCV, ELFDATA2LSB}, "riscv64", "riscv64"},
    };
    static const struct machine_names unknown = {{EM_NONE, ELFDATANONE}, "another machine", NULL};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].machine.number == machine.number && known[i].machine.order == machine.order)
            return &known[i];
    return &unknown;
}

/* The machine that this program was compiled for. */
static struct machine own_machine(void)
{
    return machine_of("/proc/self/exe");
}

/* A kernel executes programs of its machine's 32-bit kin too, and looks for their interpreters. */
static int is_kin(struct machine machine, struct machine own)
{
    return (own.number == EM_X86_64 && machine.number == EM_386) ||
           (own.number == EM_AARCH64 && machine.number == EM_ARM);
}

/*
 * Whether that PATH could not be executed, for the reason ERRNUM, is because it is a program for another
 * machine: there is no emulator for it, or it is not where the kernel looks (binfmt_misc).
 */
static int is_foreign(const char *path, int errnum)
{
    const struct machine machine = machine_of(path), own = own_machine();

    if (machine.number == EM_NONE || own.number == EM_NONE ||
        (machine.number == own.number && machine.order == own.order))
        return 0;
    return errnum == ENOEXEC || errnum == ELIBBAD || (errnum == ENOENT && !is_kin(machine, own));
}

/* The program interpreter that a 64-bit ELF file names, NULL where it names none within its first bytes. */
static const char *elf_interpreter(const struct head *head)
{
    Elf64_Ehdr elf;
    Elf64_Phdr segment;

    if (head->length < sizeof(elf))
        return NULL;
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

/*
 * PATH could not be executed, as FILE is foreign: the same, or what PATH needs. WHAT is between
 * PATH and "a program for": " is", ": its interpreter /lib/ld.so is".
 */
static int diagnose_foreign(const struct launch *launch, const char *path, const char *what, const char *file,
                            int errnum, struct err *err)
{
    const struct machine_names *own = machine_names(own_machine());
    const char *theirs = machine_names(machine_of(file))->kernel;
    const char *problem = arena_printf(launch->arena, "%s%s a program for %s, and this node is %s",
                                       str_quote(launch->arena, path), what, theirs, own->kernel);

    /* Without the flag F it is looked for in the container: Documentation/admin-guide/binfmt-misc.rst */
    if (errnum == ENOENT)
        return err_set(
            err, ERR_COMMAND_NOT_EXECUTABLE,
            "%s; the emulator that it has for such (binfmt_misc) is not in the container: the site "
            "can register it with the flag F",
            problem);
    return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s; use an image for this architecture%s%s", problem,
                   own->image ? ": coracle pull --platform linux/" : "", own->image ? own->image : "");
}

static int diagnose_elf(const struct launch *launch, const struct head *head, const char *path, int errnum,
                        struct err *err)
{
    const char *file = str_quote(launch->arena, path);
    const char *interpreter = elf_interpreter(head);

    if (is_foreign(path, errnum))
        return diagnose_foreign(launch, path, " is", path, errnum, err);
    if (errnum == ELIBBAD && interpreter && is_foreign(interpreter, errnum))
        return diagnose_foreign(
            launch, path,
            arena_printf(launch->arena, ": its interpreter %s is", str_quote(launch->arena, interpreter)),
            interpreter, errnum, err);
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
    const char *program = arena_strndup(launch->arena, start, length);
    const char *interpreter = str_quote(launch->arena, program);

    if (is_foreign(program, errnum))
        return diagnose_foreign(launch, path,
                                arena_printf(launch->arena, " is a script for %s,", interpreter), program,
                                errnum, err);
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
    /* As launch_exec() has tried it. */
    if (errnum == ENOEXEC && launch_is_script(path) && is_foreign("/bin/sh", errnum))
        return diagnose_foreign(launch, path, " is a script for /bin/sh,", "/bin/sh", errnum, err);
    return err_set(err, ERR_COMMAND_NOT_EXECUTABLE, "%s cannot be executed: %s",
                   str_quote(launch->arena, path), err_reason(errnum));
}
