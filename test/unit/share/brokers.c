/* Brokers that end, hang up or tell nothing while they are asked what they know. */
#include "share/brokers.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tap.h"
#include "share/address.h"

enum { ACT_LIMIT = 8 };

/* What a broker does for the first who asks, for the second, and so on; END: it ends then. */
enum act { END, HANG_UP, TURN_AWAY, TELL_HALF, TELL };

struct broker {
    pid_t process;
    struct sockaddr_un address;
    socklen_t length;
    unsigned *asked; /* how often, common memory */
};

static struct arena arena;

static void __attribute__((noreturn)) give_up(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* --- a broker that is not ours ------------------------------------------------------- */

static void tell(int socket, enum share_item_kind kind, const char *texts, size_t length)
{
    struct {
        struct share_item item;
        char texts[64];
    } told = {.item = {.message = {SHARE_MESSAGE_MAGIC, SHARE_ITEM, 0, 0}, .kind = kind}};

    memcpy(told.texts, texts, length);
    share_send(socket, &told, sizeof(told.item) + length, NULL, 0);
}

static void act(int socket, enum act act)
{
    static const struct share_message end = {SHARE_MESSAGE_MAGIC, SHARE_END, 0, 0};
    static const struct share_answer away = {.message = {SHARE_MESSAGE_MAGIC, SHARE_ALONE, 0, 0},
                                             .text = "it is not in the mood"};
    char heard[SHARE_MESSAGE_LIMIT];

    if (recv(socket, heard, sizeof(heard), 0) < 0)
        give_up("recv");
    if (act == TURN_AWAY)
        share_send(socket, &away, sizeof(away), NULL, 0);
    if (act == TELL_HALF || act == TELL)
        tell(socket, SHARE_ITEM_BROKER, "scope\0origin", sizeof("scope\0origin"));
    if (act == TELL)
        share_send(socket, &end, sizeof(end), NULL, 0);
}

static void __attribute__((noreturn)) play(const struct broker *broker, int listener, const enum act *acts)
{
    for (; *acts != END; acts++) {
        int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (socket < 0)
            give_up("accept4");
        ++*broker->asked;
        act(socket, *acts);
        if (acts[1] == END)
            close(listener); /* before this one hears that it is over, as when a process ends */
        close(socket);
    }
    _exit(EXIT_SUCCESS);
}

/* The address says which test it is: other brokers of the user may be there. */
static struct broker start(const enum act *acts)
{
    static uint64_t count;
    const struct digest key = {{(uint64_t)getpid() << 8 | ++count, 0x756e6974}};
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct broker broker = {
        .asked = mmap(NULL, sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)};

    broker.length = share_address(&broker.address, geteuid(), &key, 0);
    if (listener < 0 || broker.asked == MAP_FAILED ||
        bind(listener, (struct sockaddr *)&broker.address, broker.length) < 0 || listen(listener, 4) < 0)
        give_up("socket");
    broker.process = fork();
    if (broker.process < 0)
        give_up("fork");
    if (broker.process == 0)
        play(&broker, listener, acts);
    close(listener);
    return broker;
}

static void end(struct broker *broker)
{
    kill(broker->process, SIGKILL);
    waitpid(broker->process, NULL, 0);
    munmap(broker->asked, sizeof(unsigned));
}

/* --- what is made of it ----------------------------------------------------------------- */

/* What was said while brokers were asked, of others of the user as well. */
static const char *list(struct share_brokers *brokers)
{
    int said = memfd_create("said", MFD_CLOEXEC), before = dup(STDERR_FILENO);
    struct err err = {0};
    static char text[4096];
    ssize_t length;

    if (said < 0 || before < 0)
        give_up("memfd_create");
    dup2(said, STDERR_FILENO);
    TAP_OK(share_list_brokers(brokers, &arena, &err), err);
    dup2(before, STDERR_FILENO);
    length = pread(said, text, sizeof(text) - 1, 0);
    text[length < 0 ? 0 : length] = 0;
    close(said);
    close(before);
    return text;
}

static int lines_of(const struct share_brokers *brokers, const struct broker *broker)
{
    int count = 0;

    for (size_t i = 0; i < brokers->line_count; i++) {
        const struct share_broker *other = &brokers->brokers[brokers->lines[i].broker];

        count += other->length == broker->length && !memcmp(&other->address, &broker->address, other->length);
    }
    return count;
}

struct expected {
    unsigned asked;
    int lines;
    const char *warning; /* NULL: none of this broker */
};

static void check(const enum act *acts, const struct expected *expected)
{
    struct broker broker = start(acts);
    struct share_brokers brokers;
    const char *said = list(&brokers);
    const char *line =
        strstr(said, arena_printf(&arena, "coracle-broker %d ", (int)getpid())); /* who called listen */

    TAP_INT(*broker.asked, expected->asked);
    TAP_INT(lines_of(&brokers, &broker), expected->lines);
    if (expected->warning)
        TAP_TRUE(line && strstr(line, expected->warning));
    else
        TAP_TRUE(!line);
    end(&broker);
}

/* That is no matter. */
static void test_ends(void)
{
    check((const enum act[]){HANG_UP, END}, &(struct expected){.asked = 1});
    check((const enum act[]){TELL_HALF, END}, &(struct expected){.asked = 1});
    check((const enum act[]){HANG_UP, TELL_HALF, END}, &(struct expected){.asked = 2});
}

/* It is asked again, and what it did not tell to the end is not kept. */
static void test_hangs_up(void)
{
    check((const enum act[]){HANG_UP, TELL, HANG_UP, END}, &(struct expected){.asked = 2, .lines = 1});
    check((const enum act[]){TELL_HALF, TELL_HALF, TELL, TELL, END},
          &(struct expected){.asked = 3, .lines = 1});
    check((const enum act[]){HANG_UP, TELL_HALF, HANG_UP, TELL, END},
          &(struct expected){.asked = 3, .warning = "hangs up on whoever asks"});
}

static void test_turns_away(void)
{
    check((const enum act[]){TURN_AWAY, TELL, END},
          &(struct expected){.asked = 1, .warning = "tells nothing: it is not in the mood\n"});
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    test_ends();
    test_hangs_up();
    test_turns_away();
    arena_free(&arena);
    return tap_done();
}
