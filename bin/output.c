#include "output.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

int output_print(const struct str *text, struct err *err)
{
    if (fd_write_all(STDOUT_FILENO, str_text(text), text->length) < 0)
        return err_set(err, ERR_SYSTEM, "cannot write to standard output: %s", err_reason(errno));
    return 0;
}

void output_no_memory(void)
{
    struct err err;

    err_set(&err, ERR_NO_MEMORY, "the system gives no more memory");
    log_error(&err);
    _exit(err_exit_status(err.id));
}
