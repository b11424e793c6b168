/* coracle pull: an image of a registry becomes a SquashFS file or a directory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "checksum/checksum.h"
#include "image-commands.h"
#include "image-output-options.h"
#include "image-output.h"
#include "oci/document.h"
#include "oci/rootfs.h"
#include "registry/auth-file.h"
#include "registry/registry.h"

struct pull_options {
    struct output_options output; /* first: the setters of the common options take it for this */
    struct registry_options registry;
    const char *auth_file;
};

static int set_plain_http(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    (void)value, (void)origin, (void)err;
    ((struct pull_options *)target)->registry.plain_http = 1;
    return 0;
}

static int set_ca_file(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    (void)origin, (void)err;
    ((struct pull_options *)target)->registry.ca_file = value;
    return 0;
}

static int set_auth_file(void *target, const char *value, const struct opt_origin *origin, struct err *err)
{
    (void)origin, (void)err;
    ((struct pull_options *)target)->auth_file = value;
    return 0;
}

static const struct opt_row rows[] = {
    OUTPUT_OPTIONS,
    {"--authfile", 0, OPT_VALUE, "FILE", NULL, OPT_SINGLE,
     "take credentials from this file alone, which docker or podman wrote", set_auth_file},
    {"--ca-file", 0, OPT_VALUE, "FILE", NULL, OPT_SINGLE, "trust the certificates in FILE too", set_ca_file},
    {"--plain-http", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "speak to this registry without TLS",
     set_plain_http},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int print_help(struct arena *arena, struct err *err)
{
    return images_help(
        "coracle pull [OPTIONS] REGISTRY/REPOSITORY[:TAG][@DIGEST] [DESTINATION]",
        "Fetches an image and makes one SquashFS file of its layers; DESTINATION is that\n"
        "file, or dir:DIRECTORY. Without it the file is REPOSITORY_TAG.sqfs here. TAG is\n"
        "\"latest\" where neither it nor a digest is given. Docker Hub is docker.io.\n"
        "What was fetched of an interrupted pull stays in .DESTINATION.download, for the next one.",
        rows, ROW_COUNT, arena, err);
}

struct pulling {
    struct pull_options *options;
    const char *name; /* of the image, for messages */
    struct reference reference;
    struct registry *registry;
    struct oci_manifest manifest;
    struct registry_blob *blobs; /* the configuration, then the layers */
    int folder;
    struct arena *arena;
};

/* What the registry has under WHAT. The registry's errors name the image themselves. */
static int fetch_document(struct pulling *pulling, const char *what, struct oci_document *document,
                          struct err *err)
{
    struct registry_manifest answer;

    if (registry_manifest(pulling->registry, what, &answer, pulling->arena, err) < 0)
        return -1;
    if (oci_document_parse(document, answer.bytes, answer.length,
                           *answer.media_type ? answer.media_type : NULL, pulling->arena, err) < 0)
        return err_prefix(err, "%s", pulling->name);
    return 0;
}

/* Of several platforms the one that is asked for; indexes may be in each other. */
static int find_manifest(struct pulling *pulling, const char *what, struct err *err)
{
    struct oci_document document;
    const struct oci_entry *entry;

    for (int depth = 0; depth <= OCI_NESTING_MAX; depth++) {
        if (fetch_document(pulling, what, &document, err) < 0)
            return -1;
        if (document.kind == OCI_DOCUMENT_MANIFEST) {
            pulling->manifest = document.manifest;
            return 0;
        }
        entry = oci_index_choose(&document.index, &pulling->options->output.platform, pulling->arena, err);
        if (!entry)
            return err_prefix(err, "%s", pulling->name);
        what = entry->blob.digest;
    }
    return err_set(err, ERR_IMAGE_MANIFEST, "%s: its indexes are nested more than %d deep", pulling->name,
                   OCI_NESTING_MAX);
}

/*
 * Beside the destination: /tmp may be small. It may be there from before, but who could
 * change what is in it could do so after it was verified.
 */
static int open_folder(struct pulling *pulling, const char **folder, struct err *err)
{
    struct stat st;

    *folder = output_beside(&pulling->options->output.output, ".download", pulling->arena);
    if (mkdir(*folder, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_OUTPUT, "cannot make %s: %s", str_quote(pulling->arena, *folder),
                       err_reason(errno));
    pulling->folder = openat(AT_FDCWD, *folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (pulling->folder < 0 || fstat(pulling->folder, &st) < 0)
        return err_set(err, ERR_OUTPUT, "cannot open %s: %s", str_quote(pulling->arena, *folder),
                       err_reason(errno));
    if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return err_set(err, ERR_OUTPUT,
                       "others can change what is in %s; remove it, or name another destination",
                       str_quote(pulling->arena, *folder));
    return 0;
}

/* The digest's colon is a slash in no file name. */
static void want(struct registry_blob *blob, const struct oci_descriptor *descriptor)
{
    *blob = (struct registry_blob){
        .digest = descriptor->digest, .size = descriptor->size, .name = descriptor->digest, .fd = -1};
}

static int fetch(struct pulling *pulling, struct err *err)
{
    const size_t count = pulling->manifest.layer_count + 1;

    pulling->blobs = arena_alloc(pulling->arena, count * sizeof(*pulling->blobs));
    want(&pulling->blobs[0], &pulling->manifest.config);
    for (size_t i = 1; i < count; i++)
        want(&pulling->blobs[i], &pulling->manifest.layers[i - 1].blob);
    return registry_blobs(pulling->registry, pulling->blobs, count, pulling->folder, NULL, err);
}

/* The configuration as its digest names it: it was verified when it was fetched, and is read only now. */
static int read_config(struct pulling *pulling, struct flatten_request *request, struct err *err)
{
    const struct registry_blob *blob = &pulling->blobs[0];
    char digest[CHECKSUM_TEXT];

    request->config = fd_read_all(blob->fd, OCI_DOCUMENT_MAX, pulling->arena, &request->config_length);
    if (!request->config)
        return err_set(err, ERR_IMAGE_CONFIG, "%s: its configuration cannot be read: %s", pulling->name,
                       err_reason(errno));
    if (strcmp(checksum_of(digest, blob->digest, request->config, request->config_length), blob->digest) != 0)
        return err_set(err, ERR_DIGEST, "%s: its configuration is not %s any more", pulling->name,
                       blob->digest);
    return 0;
}

static int make_image(struct pulling *pulling, struct err *err)
{
    struct flatten_request request = {.layer_count = pulling->manifest.layer_count};
    struct layer *layers = arena_alloc(pulling->arena, (request.layer_count + 1) * sizeof(*layers));
    struct oci_rootfs rootfs;

    if (read_config(pulling, &request, err) < 0)
        return -1;
    if (oci_rootfs_parse(&rootfs, request.config, request.config_length, pulling->arena, err) < 0)
        return err_prefix(err, "%s", pulling->name);
    if (rootfs.count != request.layer_count)
        return err_set(err, ERR_IMAGE_CONFIG, "%s: the manifest has %zu layers, the configuration %zu",
                       pulling->name, request.layer_count, rootfs.count);
    for (size_t i = 0; i < request.layer_count; i++)
        layers[i] = (struct layer){.fd = pulling->blobs[i + 1].fd,
                                   .size = pulling->blobs[i + 1].size,
                                   .digest = pulling->blobs[i + 1].digest,
                                   .diff_id = rootfs.diff_ids[i]};
    request.layers = layers;
    return output_write(&pulling->options->output.output, &request, pulling->arena, err);
}

/* With what it holds of this image: another's, of an interrupted pull, stays. */
static void remove_folder(struct pulling *pulling, const char *folder)
{
    for (size_t i = 0; pulling->blobs && i <= pulling->manifest.layer_count; i++)
        unlinkat(pulling->folder, pulling->blobs[i].name, 0);
    rmdir(folder);
}

static int pull(struct pulling *pulling, struct err *err)
{
    const char *what = pulling->reference.digest ? pulling->reference.digest
                       : pulling->reference.tag  ? pulling->reference.tag
                                                 : "latest";
    const char *folder;
    int result;

    if (find_manifest(pulling, what, err) < 0 || open_folder(pulling, &folder, err) < 0)
        return -1;
    result = fetch(pulling, err) < 0 ? -1 : make_image(pulling, err);
    if (result == 0)
        remove_folder(pulling, folder);
    else
        rmdir(folder); /* where nothing is in it */
    for (size_t i = 0; i <= pulling->manifest.layer_count; i++)
        fd_close(&pulling->blobs[i].fd);
    fd_close(&pulling->folder);
    return result;
}

/* REPOSITORY_TAG.sqfs, of the last part of the repository. */
static const char *usual_name(const struct reference *reference, struct arena *arena)
{
    const char *tag = reference->tag ? reference->tag : reference->digest ? "" : "latest";

    return arena_join(arena, path_basename(reference->repository), *tag ? "_" : "", tag, ".sqfs", NULL);
}

static int pull_from_registry(struct pull_options *options, const char *name, const char *destination,
                              char *const environment[], struct arena *arena, struct err *err)
{
    struct pulling pulling = {
        .options = options, .name = str_quote(arena, name), .folder = -1, .arena = arena};
    const struct reference *reference = &pulling.reference;
    struct registry_credentials credentials;
    int result;

    if (reference_parse(&pulling.reference, name, arena, ERR_USAGE, err) < 0)
        return -1;
    if (reference->transport != REFERENCE_REGISTRY)
        return err_set(err, ERR_USAGE, "%s is not in a registry; coracle convert makes an image of it",
                       str_quote(arena, name));
    if (!reference->domain)
        return err_set(err, ERR_USAGE, "%s names no registry; at Docker Hub it would be docker.io/%s",
                       str_quote(arena, name), reference_print(reference, arena));
    if (output_open(&options->output.output, destination ? destination : usual_name(reference, arena), arena,
                    err) < 0)
        return -1;
    result = auth_file_find(&credentials, options->auth_file, environment, reference->domain,
                            reference->repository, arena, err);
    if (result < 0)
        return -1;
    pulling.registry = registry_open(reference, &options->registry, result ? &credentials : NULL, arena, err);
    if (!pulling.registry)
        return -1;
    result = pull(&pulling, err);
    registry_close(pulling.registry);
    return result;
}

int cmd_pull(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct pull_options options = {.output = {.arena = arena, .platform = images_host_platform(arena)}};
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &options, err);

    if (index < 0)
        return -1;
    if (options.output.help)
        return print_help(arena, err);
    if (argc - index != 1 && argc - index != 2)
        return err_set(err, ERR_USAGE,
                       "coracle pull takes the name of an image and a destination; coracle pull --help");
    return pull_from_registry(&options, argv[index], argv[index + 1], environment, arena, err);
}
