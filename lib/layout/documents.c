#include "layout/documents.h"

#include <string.h>

#include "oci/json-write.h"

#include "base/json.h"
#include "oci/document.h"
#include "oci/rootfs.h"

#define REF_NAME "org.opencontainers.image.ref.name"

/* ,"NAME":"TEXT" */
static void add_text(struct str *out, const char *before, const char *name, const char *text)
{
    str_add(out, before);
    json_add_string(out, name);
    str_add_char(out, ':');
    json_add_string(out, text);
}

static void add_descriptor(struct str *out, const struct written *blob)
{
    add_text(out, "{", "mediaType", blob->media_type);
    add_text(out, ",", "digest", blob->digest);
    str_add(out, ",\"size\":");
    str_add_number(out, blob->size);
}

static void add_rootfs(struct str *out, const struct written *layers, size_t count)
{
    str_add(out, "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            str_add_char(out, ',');
        json_add_string(out, layers[i].diff_id);
    }
    str_add(out, "]}");
}

/* One line of history for each layer: readers want as many of both. */
static void add_history(struct str *out, const struct json_value *top, size_t count)
{
    const struct json_value *created = json_member(top, "created");

    str_add(out, "\"history\":[");
    for (size_t i = 0; i < count; i++) {
        str_add(out, i ? ",{" : "{");
        if (created && created->kind == JSON_STRING) {
            add_text(out, "", "created", created->text);
            str_add_char(out, ',');
        }
        add_text(out, "", "created_by", "coracle convert");
        str_add_char(out, '}');
    }
    str_add_char(out, ']');
}

/* What the source says, but of its layers. */
static void add_others(struct str *out, const struct json_value *top)
{
    for (const struct json_value *item = top->first; item; item = item->next) {
        if (strcmp(item->name, "rootfs") == 0 || strcmp(item->name, "history") == 0)
            continue;
        json_add_string(out, item->name);
        str_add_char(out, ':');
        json_write(out, item);
        str_add_char(out, ',');
    }
}

/* Readers want a platform; what only says how an image is run may have none. */
static void add_missing(struct str *out, const struct json_value *top, const char *name, const char *text)
{
    if (json_member(top, name))
        return;
    add_text(out, "", name, text);
    str_add_char(out, ',');
}

static int is_same(const struct oci_rootfs *rootfs, const struct written *layers, size_t count)
{
    if (rootfs->count != count)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(rootfs->diff_ids[i], layers[i].diff_id) != 0)
            return 0;
    return 1;
}

static void add_platform(struct str *out, const struct oci_platform *platform)
{
    add_text(out, "", "architecture", platform->architecture);
    add_text(out, ",", "os", platform->os);
    if (platform->variant && *platform->variant)
        add_text(out, ",", "variant", platform->variant);
}

static int edit_config(const struct layout_write *write, const struct written *layers, struct str *out,
                       struct oci_platform *platform, struct err *err)
{
    const struct json_value *top;
    struct oci_rootfs rootfs;

    top = json_read(write->config, write->config_length, out->arena, ERR_IMAGE_CONFIG, err);
    if (!top)
        return err_prefix(err, "image configuration");
    if (top->kind != JSON_OBJECT)
        return err_set(err, ERR_IMAGE_CONFIG, "image configuration: it is %s, not an object",
                       json_kind_name(top->kind));
    str_add_char(out, '{');
    add_others(out, top);
    add_missing(out, top, "architecture", write->platform.architecture);
    add_missing(out, top, "os", write->platform.os);
    add_rootfs(out, layers, write->layer_count);
    str_add_char(out, ',');
    add_history(out, top, write->layer_count);
    str_add_char(out, '}');
    if (oci_rootfs_parse(&rootfs, out->data, out->length, out->arena, err) < 0)
        return -1;
    *platform = rootfs.platform;
    return 0;
}

/* The request with a platform that is said. */
static struct layout_write with_platform(const struct layout_write *write)
{
    struct layout_write complete = *write;

    if (!complete.platform.os)
        complete.platform.os = "linux";
    if (!complete.platform.architecture)
        complete.platform.architecture = "amd64";
    return complete;
}

int document_config(const struct layout_write *write, const struct written *layers, const char **bytes,
                    size_t *length, struct oci_platform *platform, struct arena *arena, struct err *err)
{
    const struct layout_write complete = with_platform(write);
    struct str out = {.arena = arena};
    struct oci_rootfs rootfs;
    struct err ignored;

    /* A source that is no image of layers may lack rootfs: then it is added. */
    if (write->config &&
        oci_rootfs_parse(&rootfs, write->config, write->config_length, arena, &ignored) == 0 &&
        is_same(&rootfs, layers, write->layer_count)) {
        *bytes = write->config;
        *length = write->config_length;
        *platform = rootfs.platform;
        return 0;
    }
    if (write->config && edit_config(&complete, layers, &out, platform, err) < 0)
        return -1;
    if (!write->config) {
        *platform = complete.platform;
        str_add_char(&out, '{');
        add_platform(&out, platform);
        str_add_char(&out, ',');
        add_rootfs(&out, layers, write->layer_count);
        str_add_char(&out, '}');
    }
    *bytes = str_text(&out);
    *length = out.length;
    return 0;
}

static int is_blob(const struct oci_descriptor *named, const struct written *blob)
{
    return strcmp(named->digest, blob->digest) == 0 && named->size == blob->size;
}

/* One that may not be distributed by others says nothing wrong of its compression. */
static int is_layer(const struct oci_manifest_layer *named, const struct written *layer)
{
    const char *type = named->blob.media_type;

    return is_blob(&named->blob, layer) &&
           (strcmp(type, layer->media_type) == 0 ||
            strncmp(type, DOCUMENT_FOREIGN_LAYER, strlen(DOCUMENT_FOREIGN_LAYER)) == 0);
}

int document_is_kept(const struct layout_write *write, const struct written *config,
                     const struct written *layers, struct arena *arena)
{
    struct oci_document document;
    struct err ignored;

    if (!write->manifest || oci_document_parse(&document, write->manifest, write->manifest_length,
                                               DOCUMENT_MANIFEST, arena, &ignored) < 0)
        return 0;
    if (document.kind != OCI_DOCUMENT_MANIFEST || !is_blob(&document.manifest.config, config) ||
        strcmp(document.manifest.config.media_type, DOCUMENT_CONFIG) != 0 ||
        document.manifest.layer_count != write->layer_count)
        return 0;
    for (size_t i = 0; i < write->layer_count; i++)
        if (!is_layer(&document.manifest.layers[i], &layers[i]))
            return 0;
    return 1;
}

void document_manifest(struct str *out, const struct written *config, const struct written *layers,
                       size_t count)
{
    str_add(out, "{\"schemaVersion\":2");
    add_text(out, ",", "mediaType", DOCUMENT_MANIFEST);
    str_add(out, ",\"config\":");
    add_descriptor(out, config);
    str_add(out, "},\"layers\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            str_add_char(out, ',');
        add_descriptor(out, &layers[i]);
        str_add_char(out, '}');
    }
    str_add(out, "]}");
}

void document_saved(struct str *out, const struct written *config, const struct written *layers, size_t count,
                    const char *tag)
{
    add_text(out, "[{", "Config", config->name);
    str_add(out, ",\"RepoTags\":");
    if (tag) {
        str_add_char(out, '[');
        json_add_string(out, tag);
        str_add_char(out, ']');
    } else {
        str_add(out, "null");
    }
    str_add(out, ",\"Layers\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            str_add_char(out, ',');
        json_add_string(out, layers[i].name);
    }
    str_add(out, "]}]\n");
}

static const char *name_of(const struct json_value *entry)
{
    const struct json_value *annotations =
        entry->kind == JSON_OBJECT ? json_member(entry, "annotations") : NULL;
    const struct json_value *name =
        annotations && annotations->kind == JSON_OBJECT ? json_member(annotations, REF_NAME) : NULL;

    return name && name->kind == JSON_STRING ? name->text : NULL;
}

static int has_name(const struct json_value *entry, const char *name)
{
    const char *its = name_of(entry);

    return its && name ? strcmp(its, name) == 0 : its == name;
}

static int read_index(const struct index_text *index, const struct json_value **top,
                      const struct json_value **manifests, struct arena *arena, struct err *err)
{
    *top = json_read(index->bytes, index->length, arena, ERR_IMAGE_MANIFEST, err);
    if (!*top)
        return err_prefix(err, "index.json");
    *manifests = (*top)->kind == JSON_OBJECT ? json_member(*top, "manifests") : NULL;
    if (!*manifests || (*manifests)->kind != JSON_ARRAY)
        return err_set(err, ERR_IMAGE_MANIFEST, "index.json: it has no array manifests");
    return 0;
}

int document_index_has(const struct index_text *index, const char *name, struct arena *arena, struct err *err)
{
    const struct json_value *top, *manifests;

    if (read_index(index, &top, &manifests, arena, err) < 0)
        return -1;
    for (const struct json_value *entry = manifests->first; entry; entry = entry->next)
        if (has_name(entry, name))
            return 1;
    return 0;
}

static void add_entry(struct str *out, const struct written *manifest, const struct oci_platform *platform,
                      const char *name)
{
    add_descriptor(out, manifest);
    if (*platform->os && *platform->architecture) {
        str_add(out, ",\"platform\":{");
        add_platform(out, platform);
        str_add_char(out, '}');
    }
    if (name) {
        str_add(out, ",\"annotations\":{");
        add_text(out, "", REF_NAME, name);
        str_add_char(out, '}');
    }
    str_add_char(out, '}');
}

int document_index(struct str *out, const struct index_text *old, const struct written *manifest,
                   const struct oci_platform *platform, const char *name, struct err *err)
{
    const struct json_value *top = NULL, *manifests = NULL;

    if (old && read_index(old, &top, &manifests, out->arena, err) < 0)
        return -1;
    str_add_char(out, '{');
    for (const struct json_value *item = top ? top->first : NULL; item; item = item->next) {
        if (item == manifests)
            continue;
        json_add_string(out, item->name);
        str_add_char(out, ':');
        json_write(out, item);
        str_add_char(out, ',');
    }
    if (!old)
        str_add(out, "\"schemaVersion\":2,\"mediaType\":\"" DOCUMENT_INDEX "\",");
    str_add(out, "\"manifests\":[");
    for (const struct json_value *entry = manifests ? manifests->first : NULL; entry; entry = entry->next) {
        if (has_name(entry, name))
            continue;
        json_write(out, entry);
        str_add_char(out, ',');
    }
    add_entry(out, manifest, platform, name);
    str_add(out, "]}");
    return 0;
}
