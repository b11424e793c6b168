#include "parts.h"

/* Transports and paths. */
static const struct good good[] = {
    {"docker://debian", "docker repository=debian"},
    {"docker://example.org:5000/a:b@" SHA256,
     "docker domain=example.org:5000 repository=a tag=b digest=" SHA256},
    {"docker://oci:latest", "docker repository=oci tag=latest"},
    {"docker://docker", "docker repository=docker"},
    /* Without // docker is a name as any other. */
    {"docker:dind", "docker repository=docker tag=dind"},
    {"registry:2", "docker repository=registry tag=2"},
    {"oci", "docker repository=oci"},
    {"oci/a:b", "docker repository=oci/a tag=b"},
    {"oci@" SHA256, "docker repository=oci digest=" SHA256},
    {"sqfs-tools:1", "docker repository=sqfs-tools tag=1"},
    {"https", "docker repository=https"},
    {"https:1", "docker repository=https tag=1"},
    {"oci:dir", "oci path=dir"},
    {"oci:/a/dir", "oci path=/a/dir"},
    {"oci:./dir:12", "oci path=./dir name=12"},
    {"oci:dir:docker.io/library/debian:12", "oci path=dir name=docker.io/library/debian:12"},
    {"oci:dir:a-b.c_d:e@f+g/h--i", "oci path=dir name=a-b.c_d:e@f+g/h--i"},
    {"oci:dir:@0", "oci path=dir index=0"},
    {"oci:.", "oci path=."},
    {"oci: a b", "oci path= a b"},
    {"oci:a@b", "oci path=a@b"},
    {"oci-archive:a.tar", "oci-archive path=a.tar"},
    {"oci-archive:/a/b.tar:V1.0", "oci-archive path=/a/b.tar name=V1.0"},
    {"oci-archive:a.tar:@65535", "oci-archive path=a.tar index=65535"},
    {"docker-archive:a.tar", "docker-archive path=a.tar"},
    {"docker-archive:a.tar:debian", "docker-archive path=a.tar repository=debian"},
    {"docker-archive:a.tar:debian:12", "docker-archive path=a.tar repository=debian tag=12"},
    {"docker-archive:a.tar:test:5000/a:b", "docker-archive path=a.tar domain=test:5000 repository=a tag=b"},
    {"docker-archive:a.tar:@3", "docker-archive path=a.tar index=3"},
    {"dir:a", "dir path=a"},
    {"dir:/", "dir path=/"},
    {"dir:a:b", "dir path=a:b"},
    {"dir:~", "dir path=~"},
    {"tar:a.tar.gz", "tar path=a.tar.gz"},
    {"sqfs:a:b@c.sqfs", "sqfs path=a:b@c.sqfs"},
    {"sqfs:sqfs:a", "sqfs path=sqfs:a"},
    {"sif:A.sif", "sif path=A.sif"},
    {"sif:/A/\303\244.sif", "sif path=/A/\303\244.sif"},
    {"/", "path path=/"},
    {"/a/B c:d@e", "path path=/a/B c:d@e"},
    {"//a", "path path=//a"},
    {"./a", "path path=./a"},
    {"./", "path path=./"},
    {"../a", "path path=../a"},
    {"../../a:b", "path path=../../a:b"},
    {".", "path path=."},
    {"..", "path path=.."},
    {"./oci:a", "path path=./oci:a"},
    {"./~", "path path=./~"},
};

static const struct bad bad[] = {
    {"", "image '': it is empty"},
    {"~", "image '~': '~' is for the shell, which expands it where it is not quoted"},
    {"~/a", "'~' is for the shell"},
    {"~me/a", "'~' is for the shell"},
    {".a", "the repository .a: each part"},
    {"...", "the repository ...: each part"},
    {"docker://", "image docker://: the repository is missing"},
    {"docker:///a", "the repository /a has an empty part"},
    {"docker://./a", "the registry's name .: each part between dots"},
    {"docker://docker://a", "the port '' of the registry docker:"},
    {"docker:/a", "the port '' of the registry"},
    {"docker://Debian", "write debian"},
    {"DOCKER://debian", "there is no transport DOCKER; there are docker://, oci:, oci-archive:"},
    {"https://example.org/a:b",
     "this is a URL: an image in a registry is written without https://, example.org/a:b"},
    {"http://example.org", "this is a URL: an image in a registry is written without http://, example.org"},
    {"https://", "is written without https://, HOST/REPOSITORY:TAG"},
    {"oras://example.org/a", "there is no transport oras; there are docker://, oci:, oci-archive:, "
                             "docker-archive:, dir:, tar:, sqfs: and sif:"},
    {"library://a/b", "there is no transport library;"},
    {"file:///a", "there is no transport file;"},
    {"dockerd://a", "there is no transport dockerd;"},
    {"docker-daemon:debian:12", "there is no transport docker-daemon;"},
    {"docker-daemon:debian", "there is no transport docker-daemon;"},
    {"containers-storage:a", "there is no transport containers-storage;"},
    {"ostree:a@/b", "there is no transport ostree;"},
    {"://a", "there is no transport ''"},
    {"oci:", "image oci:: no path follows oci:"},
    {"oci::a", "no path follows oci:"},
    {"oci:dir:", "nothing follows the last colon: leave it out, or name an image in the layout"},
    {"oci://dir", "oci is followed by one colon and a path, without //: oci:PATH or oci:/PATH"},
    {"oci:///dir", "oci is followed by one colon and a path"},
    {"sif://a", "sif is followed by one colon and a path, without //: sif:PATH or sif:/PATH"},
    {"dir://a", "dir is followed by one colon and a path"},
    {"oci:dir:-a", "the name -a in the layout holds '-' in this place: letters and digits may be in it, and"},
    {"oci:dir:a-", "the name a- in the layout holds '-'"},
    {"oci:dir:a---b", "the name a---b in the layout holds '-'"},
    {"oci:dir:--a", "the name --a in the layout holds '-'"},
    {"oci:dir:a--", "the name a-- in the layout holds '-'"},
    {"oci:dir:a..b", "the name a..b in the layout holds '.'"},
    {"oci:dir:a::b", "the name a::b in the layout holds ':'"},
    {"oci:dir:/a", "the name /a in the layout holds '/'"},
    {"oci:dir:a/", "the name a/ in the layout holds '/'"},
    {"oci:dir:a b", "the name 'a b' in the layout holds ' '"},
    {"oci:dir:a\377", "holds the byte 0xff"},
    {"oci:dir:@", "@'' does not say which image: after '@' stands a number from 0 to 65535"},
    {"oci:dir:@a", "@a does not say which image"},
    {"oci:dir:@-1", "@-1 does not say which image"},
    {"oci:dir:@01", "@01 does not say which image"},
    {"oci:dir:@65536", "@65536 does not say which image"},
    {"oci:dir:@99999999999999999999999", "does not say which image"},
    {"oci:dir:@1:a", "@1:a does not say which image"},
    {"oci-archive:", "no path follows oci-archive:"},
    {"oci-archive:a:", "nothing follows the last colon: leave it out, or name an image in the archive"},
    {"oci-archive:a:b c", "the name 'b c' in the layout holds ' '"},
    {"docker-archive:", "no path follows docker-archive:"},
    {"docker-archive:a:", "nothing follows the last colon"},
    {"docker-archive:a:b:", "the tag is empty"},
    {"docker-archive:a::b", "the repository is missing"},
    {"docker-archive:a:Debian", "write debian"},
    {"docker-archive:a:b@" SHA256, "images in a docker archive have no digest: write REPOSITORY:TAG"},
    {"docker-archive:a:@x", "@x does not say which image"},
    {"dir:", "no path follows dir:"},
    {"tar:", "no path follows tar:"},
    {"sqfs:", "no path follows sqfs:"},
    {"sif:", "no path follows sif:"},
};

static void test_transport_names(void)
{
    TAP_STR(reference_transport_name(REFERENCE_REGISTRY), "docker");
    TAP_STR(reference_transport_name(REFERENCE_OCI), "oci");
    TAP_STR(reference_transport_name(REFERENCE_OCI_ARCHIVE), "oci-archive");
    TAP_STR(reference_transport_name(REFERENCE_DOCKER_ARCHIVE), "docker-archive");
    TAP_STR(reference_transport_name(REFERENCE_DIR), "dir");
    TAP_STR(reference_transport_name(REFERENCE_TAR), "tar");
    TAP_STR(reference_transport_name(REFERENCE_SQFS), "sqfs");
    TAP_STR(reference_transport_name(REFERENCE_SIF), "sif");
    TAP_STR(reference_transport_name(REFERENCE_PATH), "");
}

int main(void)
{
    struct reference reference;

    arena_init(&arena, tap_no_memory);
    TEST_GOOD(good);
    TEST_BAD(bad);
    test_transport_names();
    TAP_ERR(reference_parse(&reference, "", &arena, ERR_CONFIG, &err), err, ERR_CONFIG, "it is empty");
    arena_free(&arena);
    return tap_done();
}
