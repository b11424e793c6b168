/*
 * Servers that do not serve.
 *
 * One that computes without end ends itself (lib/fuse/watch.h), and one that waits
 * for storage is left alone: it goes on when the storage does. One that was stopped
 * does neither, and whoever needs a file of the image waits with it: it is killed,
 * and the kernel answers them with an error.
 */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/proc.h"
#include "base/report.h"
#include "broker/state.h"

int broker_is_stopped(pid_t pid)
{
    char text[PROC_STAT];
    const char *stat = proc_stat(text, pid);

    return *stat == 'T' || *stat == 't';
}

static void look_at(struct image *image)
{
    const int was_stopped = image->is_stopped;

    image->is_stopped = image->server.fd >= 0 && broker_is_stopped(image->server.pid);
    if (!image->is_stopped || !was_stopped)
        return;
    report("coracle-fuse %d, which serves %s, is stopped: it is killed, so that nobody waits for it",
           (int)image->server.pid, image->path);
    process_signal(&image->server, SIGKILL);
}

void broker_look_at_servers(struct broker *broker, int64_t now)
{
    const int64_t since = now - broker->last_look;

    if (since < BROKER_LOOK_EVERY)
        return;
    broker->last_look = now;
    for (struct image *image = broker->images; image; image = image->next) {
        /* So long a time: the job was suspended, and we with it. */
        if (since > 2 * BROKER_LOOK_EVERY)
            image->is_stopped = 0;
        look_at(image);
    }
}

/* --- what the next launch is told ------------------------------------------------ */

void broker_note_loss(struct broker *broker, const struct image *image)
{
    struct loss *loss = &broker->losses[broker->loss_count++ % BROKER_LOSSES];

    *loss = (struct loss){image->identity, clock_milliseconds(), image->is_stopped};
    report("coracle-fuse %d, which served %s, has ended%s: processes in it get errors",
           (int)image->server.pid, image->path, image->is_stopped ? " after it was stopped" : "");
}

const char *broker_loss_of(struct broker *broker, const struct share_image *identity)
{
    static const char ended[] =
        "coracle-fuse, which served this image, has ended: processes that used it got "
        "errors; the system's log may say why, or the file that CORACLE_LOG names";
    static const char stopped[] = "coracle-fuse, which served this image, was stopped, and killed for that: "
                                  "processes that used it got errors";

    for (size_t i = 0; i < BROKER_LOSSES; i++) {
        struct loss *loss = &broker->losses[i];

        if (!loss->when || memcmp(&loss->image, identity, sizeof(*identity)) != 0)
            continue;
        loss->when = 0; /* told once */
        return loss->was_stopped ? stopped : ended;
    }
    return NULL;
}

int broker_has_to_tell(const struct broker *broker, int64_t now)
{
    for (size_t i = 0; i < BROKER_LOSSES; i++)
        if (broker->losses[i].when && now - broker->losses[i].when < BROKER_TELLS_FOR)
            return 1;
    return 0;
}
