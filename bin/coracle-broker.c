/*
 * coracle-broker: lets the ranks of a node meet.
 *
 * Started by the first rank of a step or session; see lib/broker/broker.h.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/orphan.h"
#include "base/report.h"
#include "broker/broker.h"
#include "share/message.h"

enum { FAILED = 125 };

static int usage(void)
{
    static const char text[] = "coracle-broker lets ranks meet. coracle starts it; it is no command.\n";

    fd_write_all(STDERR_FILENO, text, sizeof(text) - 1);
    return FAILED;
}

static int linger(void)
{
    const char *asked = getenv("CORACLE_LINGER");
    uint64_t milliseconds;

    return asked && num_parse(asked, BROKER_LINGER_LIMIT, &milliseconds) == 0 ? (int)milliseconds
                                                                              : BROKER_LINGER;
}

int main(int argc, char *argv[])
{
    struct stat st;

    if (argc != 3 || fstat(SHARE_LISTENER_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
        return usage();
    orphan_settle();
    report_open("coracle-broker", argv[1], getenv("CORACLE_LOG"));
    return broker_run(SHARE_LISTENER_FD, SHARE_FIRST_FD, argv[1], argv[2], linger()) < 0 ? FAILED : 0;
}
