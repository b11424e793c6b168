#include "base/err.h"

#include <errno.h>

#include "../../tap.h"

static void test_set(void)
{
    struct err err;

    errno = ENOTDIR;
    TAP_INT(err_set(&err, ERR_IMAGE_MISSING, "image %s: %d", "x.sqfs", 7), -1);
    TAP_INT(errno, ENOTDIR);
    TAP_INT(err.id, ERR_IMAGE_MISSING);
    TAP_STR(err.text, "image x.sqfs: 7");
}

static void test_prefix(void)
{
    struct err err;

    err_set(&err, ERR_CONFIG, "cause");
    errno = EPERM;
    TAP_INT(err_prefix(&err, "%s, line %d", "file", 3), -1);
    TAP_INT(errno, EPERM);
    TAP_INT(err.id, ERR_CONFIG);
    TAP_STR(err.text, "file, line 3: cause");
}

/* Text that is too long is cut and ends with its zero byte. */
static void test_cutting(void)
{
    struct err err;

    memset(&err, 'x', sizeof(err));
    err_set(&err, ERR_USAGE, "%04000d", 7);
    TAP_INT(strlen(err.text), sizeof(err.text) - 1);
    err_prefix(&err, "prefix");
    TAP_INT(strlen(err.text), sizeof(err.text) - 1);
    TAP_INT(strncmp(err.text, "prefix: 0000", 12), 0);
    err_prefix(&err, "%04000d", 7);
    TAP_INT(strlen(err.text), sizeof(err.text) - 1);
}

static int is_identifier(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name);
}

/* The identifiers are interface: each is there, well formed and not given twice. */
static void test_table(void)
{
    for (int i = 0; i < ERR_COUNT; i++) {
        int status = err_exit_status((enum err_id)i), repeated = 0;

        tap.row = err_name((enum err_id)i);
        for (int j = 0; j < i; j++)
            repeated |= strcmp(err_name((enum err_id)i), err_name((enum err_id)j)) == 0;
        TAP_TRUE(is_identifier(err_name((enum err_id)i)));
        TAP_TRUE(!repeated);
        TAP_TRUE(status >= 125 && status <= 127);
    }
    tap.row = NULL;
    TAP_STR(err_name(ERR_IMAGE_MISSING), "image-missing");
    TAP_INT(err_exit_status(ERR_IMAGE_MISSING), 125);
    TAP_INT(err_exit_status(ERR_COMMAND_NOT_EXECUTABLE), 126);
    TAP_INT(err_exit_status(ERR_COMMAND_NOT_FOUND), 127);
}

static void test_reason(void)
{
    TAP_STR(err_reason(ENOENT), "no such file or directory");
    TAP_STR(err_reason(EACCES), "permission denied");
    TAP_STR(err_reason(EXDEV), "leads outside");
    TAP_STR(err_reason(EPROTO), strerror(EPROTO)); /* not in the table */
    TAP_STR(err_way_out(EIO), "");
    TAP_TRUE(strstr(err_way_out(ENOSPC), "make room"));
    TAP_TRUE(strstr(err_way_out(EFBIG), "ulimit -f"));
}

int main(void)
{
    test_set();
    test_prefix();
    test_cutting();
    test_table();
    test_reason();
    return tap_done();
}
