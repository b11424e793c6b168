#include "share/address.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"

static struct arena arena;

static const char *text_of(const struct sockaddr_un *address, socklen_t length)
{
    return arena_strndup(&arena, address->sun_path + 1, length - offsetof(struct sockaddr_un, sun_path) - 1);
}

static void test_names(void)
{
    const struct digest key = {{0x0123456789abcdefu, 0xfedcba9876543210u}};
    struct sockaddr_un address;
    socklen_t length;

    memset(&address, 0xff, sizeof(address));
    length = share_address(&address, 1000, &key, 0);
    TAP_INT(address.sun_family, AF_UNIX);
    TAP_INT(address.sun_path[0], 0);
    TAP_STR(text_of(&address, length), "coracle/1000/0123456789abcdeffedcba9876543210/0");
    length = share_address(&address, UINT32_MAX, &key, SHARE_ADDRESSES - 1);
    TAP_STR(text_of(&address, length), "coracle/4294967295/0123456789abcdeffedcba9876543210/7");
    TAP_TRUE(length <= sizeof(address));
    length = share_address(&address, 0, &key, 3);
    TAP_STR(text_of(&address, length), "coracle/0/0123456789abcdeffedcba9876543210/3");
}

/* The kernel takes it, and holds the name for one only. */
static void test_bind(void)
{
    const struct digest key = {{(uint64_t)getpid(), 0x756e6974}};
    int first = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int second = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;
    socklen_t length = share_address(&address, geteuid(), &key, 0);

    TAP_INT(bind(first, (struct sockaddr *)&address, length), 0);
    TAP_INT(bind(second, (struct sockaddr *)&address, length), -1);
    TAP_INT(errno, EADDRINUSE);
    length = share_address(&address, geteuid(), &key, 1);
    TAP_INT(bind(second, (struct sockaddr *)&address, length), 0);
    close(first);
    close(second);
}

static struct plan new_plan(void)
{
    return (struct plan){
        .host_uid = 1000, .host_gid = 1001, .uid = 1000, .gid = 1001, .scope = {.name = "slurm step 1.0"}};
}

static struct share_key key_of(const struct plan *plan)
{
    struct share_key key;

    share_key_take(&key, plan, &arena);
    return key;
}

/* Whatever keeps launches apart is in it; what does not is not. */
static void test_keys(void)
{
    const struct plan plan = new_plan();
    const struct share_key key = key_of(&plan);
    struct plan others[8];
    struct share_key same;
    size_t equal = 0, count = sizeof(others) / sizeof(others[0]);

    for (size_t i = 0; i < count; i++)
        others[i] = plan;
    others[0].host_uid++;
    others[1].host_gid++;
    others[2].uid = 0;
    others[3].gid = 0;
    others[4].keep_capabilities = 1;
    others[5].scope.name = "slurm step 1.1";
    others[6].scope.name = "slurm step 1.";
    others[7].scope.name = "";
    for (size_t i = 0; i < count; i++) {
        const struct share_key other = key_of(&others[i]);

        equal += (size_t)digest_equal(&key.digest, &other.digest);
    }
    TAP_INT(equal, 0);
    others[0] = plan;
    others[0].image = "another";
    others[0].name = "a-name";
    others[0].scope.origin = "--share";
    others[0].root_mode = ROOT_WRITE;
    same = key_of(&others[0]);
    TAP_TRUE(digest_equal(&key.digest, &same.digest));
    TAP_INT(key.user_namespace, share_user_namespace(0));
}

/* --- user namespaces -------------------------------------------------------------- */

static void test_own_namespace(void)
{
    struct stat st;

    TAP_INT(stat("/proc/self/ns/user", &st), 0);
    TAP_INT(share_user_namespace(0), st.st_ino);
    TAP_INT(share_user_namespace(getpid()), st.st_ino);
    TAP_INT(share_user_namespace(4194305), 0); /* above the largest pid: proc(5), pid_max */
}

/* Another one, for the same plan: another key. 0, or what is wrong. */
static int play_other(const struct share_key *outside)
{
    const struct plan plan = new_plan();
    struct share_key inside;

    if (unshare(CLONE_NEWUSER) < 0)
        return 77;
    inside = key_of(&plan);
    return (digest_equal(&inside.digest, &outside->digest) ? 1 : 0) |
           (inside.user_namespace == outside->user_namespace ? 2 : 0);
}

static void test_other_namespace(void)
{
    const struct plan plan = new_plan();
    const struct share_key key = key_of(&plan);
    int ready[2], go[2], status;
    char result = -1;
    pid_t child;

    if (pipe(ready) < 0 || pipe(go) < 0)
        exit(EXIT_FAILURE);
    child = fork();
    if (child == 0) {
        close(go[1]);
        result = (char)play_other(&key);
        if (write(ready[1], &result, 1) != 1 || read(go[0], &result, 1) < 0)
            _exit(1);
        _exit(0);
    }
    close(go[0]);
    if (read(ready[0], &result, 1) != 1)
        exit(EXIT_FAILURE);
    if (result == 77) {
        printf("ok %d # SKIP no user namespace can be made\n", ++tap.run);
    } else {
        TAP_INT(result, 0);
        TAP_TRUE(share_user_namespace(child) != 0);
        TAP_TRUE(share_user_namespace(child) != share_user_namespace(0));
    }
    close(go[1]);
    TAP_INT(waitpid(child, &status, 0), child);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_names();
    test_bind();
    test_keys();
    test_own_namespace();
    test_other_namespace();
    arena_free(&arena);
    return tap_done();
}
