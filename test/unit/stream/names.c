#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/remove.h"
#include "stream/directory.h"
#include "test/tap.h"

static char place[] = "/tmp/coracle-test-XXXXXX";

int main(void)
{
    static const char *const made[] = {"b", "a\n", "\xFF", "B", "ab", "a", "..."};
    static const char *const sorted[] = {"...", "B", "a", "a\n", "ab", "b", "\xFF"};
    struct names names;
    int fd, top;

    if (!mkdtemp(place))
        return 1;
    fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        close(openat(fd, made[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    TAP_INT(names_read(&names, fd), 0);
    TAP_INT(names.count, sizeof(sorted) / sizeof(sorted[0]));
    for (size_t i = 0; i < names.count; i++)
        TAP_STR(names.list[i], sorted[i]);
    names_free(&names);
    close(fd);

    /* So many that the system gives them in parts. */
    fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 3000; i++) {
        char name[64];

        snprintf(name, sizeof(name), "a-name-that-takes-some-room-%d", i);
        close(openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    TAP_INT(names_read(&names, fd), 0);
    TAP_INT(names.count, 3007);
    names_free(&names);
    close(fd);

    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    TAP_INT(names_read(&names, fd), -1);
    TAP_INT(errno, ENOTDIR);
    names_free(&names);
    close(fd);
    top = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TAP_INT(remove_tree(top, place + 5), 0);
    close(top);
    return tap_done();
}
