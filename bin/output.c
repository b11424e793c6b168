#include "output.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"

int output_print(const struct str *text, struct err *err)
{
    if (fd_write_all(STDOUT_FILENO, str_text(text), text->length) < 0)
        return err_set(err, ERR_SYSTEM, "cannot write to standard output: %s", err_reason(errno));
    return 0;
}
