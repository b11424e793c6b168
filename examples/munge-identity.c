/*
 * munge-identity - who the cluster takes a process in a container for.
 *
 *     cc -o munge-identity munge-identity.c -lmunge
 *     coracle run IMAGE -- ./munge-identity encode | ./munge-identity decode
 *     coracle run --root IMAGE -- ./munge-identity encode | ./munge-identity decode
 *
 * `encode` asks munged for a credential and prints it, `decode` reads one and prints
 * whose it is. munged asks the kernel who has connected, so the answer is the user
 * outside, whatever id he has inside. The socket is MUNGE_SOCKET, or munged's usual one.
 */
#include <munge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "munge-identity: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

static munge_ctx_t context(void)
{
    const char *socket = getenv("MUNGE_SOCKET");
    munge_ctx_t context = munge_ctx_create();

    if (context && socket)
        munge_ctx_set(context, MUNGE_OPT_SOCKET, socket);
    return context;
}

static int encode(void)
{
    char said[64];
    char *credential = NULL;
    int length = snprintf(said, sizeof said, "uid %u, gid %u", (unsigned)getuid(), (unsigned)getgid());
    munge_ctx_t ctx = context();
    munge_err_t error = munge_encode(&credential, ctx, said, length);

    if (error != EMUNGE_SUCCESS)
        return fail("cannot encode", ctx ? munge_ctx_strerror(ctx) : munge_strerror(error));
    puts(credential);
    free(credential);
    munge_ctx_destroy(ctx);
    return EXIT_SUCCESS;
}

static int decode(void)
{
    char credential[4096];
    void *said = NULL;
    int length = 0;
    uid_t uid;
    gid_t gid;
    munge_ctx_t ctx = context();
    munge_err_t error;

    if (!fgets(credential, sizeof credential, stdin))
        return fail("cannot decode", "there is no credential on standard input");
    error = munge_decode(credential, ctx, &said, &length, &uid, &gid);
    if (error != EMUNGE_SUCCESS)
        return fail("cannot decode", ctx ? munge_ctx_strerror(ctx) : munge_strerror(error));
    printf("inside it is %.*s; the cluster sees uid %u, gid %u\n", length, (char *)said, (unsigned)uid,
           (unsigned)gid);
    free(said);
    munge_ctx_destroy(ctx);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "encode") == 0)
        return encode();
    if (argc == 2 && strcmp(argv[1], "decode") == 0)
        return decode();
    fprintf(stderr, "usage: munge-identity encode | munge-identity decode\n");
    return EXIT_FAILURE;
}
