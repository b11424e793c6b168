#include "image/sif.h"

#include <string.h>

#include "base/num.h"

/* Offsets in the global header and in a descriptor. */
enum { MAGIC = 32, DESCRIPTORS_TOTAL = 88, DESCRIPTORS_OFFSET = 96 };
enum { TYPE = 0, USED = 4, OFFSET = 17, LENGTH = 25, FILE_SYSTEM = 201, PARTITION_KIND = 205 };

enum { TYPE_PARTITION = 0x4004, KIND_PRIMARY_SYSTEM = 2 };
enum { FS_SQUASHFS = 1, FS_EXT3 = 2, FS_ENCRYPTED_SQUASHFS = 5 };

static const char magic[] = "SIF_MAGIC";

int sif_has_magic(const unsigned char *bytes, size_t length)
{
    return length >= MAGIC + sizeof(magic) && memcmp(bytes + MAGIC, magic, sizeof(magic)) == 0;
}

int sif_read_header(struct sif_table *table, const unsigned char bytes[SIF_HEADER_SIZE], uint64_t room,
                    struct err *err)
{
    uint64_t total = num_le64(bytes + DESCRIPTORS_TOTAL);

    table->offset = num_le64(bytes + DESCRIPTORS_OFFSET);
    table->count = (uint32_t)total;
    if (total > SIF_DESCRIPTORS_LIMIT || table->offset > room ||
        total * SIF_DESCRIPTOR_SIZE > room - table->offset)
        return err_set(err, ERR_IMAGE_DAMAGED, "its SIF header points outside the file");
    return 0;
}

int sif_read_descriptor(struct sif_partition *partition, const unsigned char bytes[SIF_DESCRIPTOR_SIZE],
                        uint64_t room, struct err *err)
{
    uint32_t file_system = num_le32(bytes + FILE_SYSTEM);

    if (num_le32(bytes + TYPE) != TYPE_PARTITION || !bytes[USED] ||
        num_le32(bytes + PARTITION_KIND) != KIND_PRIMARY_SYSTEM)
        return 0;
    if (file_system == FS_ENCRYPTED_SQUASHFS)
        return err_set(err, ERR_IMAGE_UNKNOWN,
                       "its file system is encrypted; decrypt it first: apptainer build --sandbox DIRECTORY "
                       "FILE");
    if (file_system != FS_SQUASHFS)
        return err_set(err, ERR_IMAGE_UNKNOWN,
                       "its file system is %s; rebuild it, or unpack it first: apptainer build --sandbox "
                       "DIRECTORY FILE",
                       file_system == FS_EXT3 ? "ext3, which only root can mount" : "not a SquashFS");
    partition->offset = num_le64(bytes + OFFSET);
    partition->length = num_le64(bytes + LENGTH);
    if (partition->offset > room || partition->length > room - partition->offset)
        return err_set(err, ERR_IMAGE_DAMAGED, "it is cut off: its file system ends behind the file");
    return 1;
}
