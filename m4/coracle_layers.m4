# CORACLE_LAYERS
# What reading layers and writing SquashFS files needs: libarchive, libcrypto, libzstd,
# libsquashfs, and to undo gzip ISA-L where there is one, else zlib. Tars of users may be compressed
# with xz and bzip2 too, where liblzma and libbz2 are.
AC_DEFUN([CORACLE_LAYERS], [
  AC_ARG_WITH([isal],
    [AS_HELP_STRING([--without-isal], [undo gzip with zlib, not with ISA-L])],
    [], [with_isal=auto])
  layers_note= have_layers=yes have_isal=no have_lzma=no have_bzip2=no LAYERS_LIBS=
  AC_CHECK_LIB([archive], [archive_read_support_format_tar], [LAYERS_LIBS="$LAYERS_LIBS -larchive"],
    [have_layers=no layers_note="$layers_note libarchive"])
  AC_CHECK_LIB([crypto], [EVP_sha256], [LAYERS_LIBS="$LAYERS_LIBS -lcrypto"],
    [have_layers=no layers_note="$layers_note libcrypto"])
  AC_CHECK_LIB([zstd], [ZSTD_decompressStream], [LAYERS_LIBS="$LAYERS_LIBS -lzstd"],
    [have_layers=no layers_note="$layers_note libzstd"])
  AC_CHECK_LIB([squashfs], [sqfs_block_processor_create_ex], [LAYERS_LIBS="$LAYERS_LIBS -lsquashfs"],
    [have_layers=no layers_note="$layers_note libsquashfs"])
  AC_CHECK_HEADERS([archive.h openssl/evp.h zstd.h zlib.h sqfs/block_processor.h], [],
    [have_layers=no layers_note="$layers_note $ac_header"])
  AS_IF([test "x$with_isal" != xno], [
    AC_CHECK_HEADER([isa-l/igzip_lib.h], [AC_CHECK_LIB([isal], [isal_inflate], [have_isal=yes])])
    AS_IF([test "x$with_isal" = xyes && test "x$have_isal" = xno],
      [AC_MSG_ERROR([--with-isal needs ISA-L (Debian: libisal-dev)])])
  ])
  AC_CHECK_LIB([z], [inflate], [LAYERS_LIBS="$LAYERS_LIBS -lz"], [have_layers=no layers_note="$layers_note libz"])
  AS_IF([test "x$have_isal" = xyes], [LAYERS_LIBS="$LAYERS_LIBS -lisal"])
  AC_CHECK_HEADER([lzma.h], [AC_CHECK_LIB([lzma], [lzma_stream_decoder],
    [have_lzma=yes LAYERS_LIBS="$LAYERS_LIBS -llzma"])])
  AC_CHECK_HEADER([bzlib.h], [AC_CHECK_LIB([bz2], [BZ2_bzDecompress],
    [have_bzip2=yes LAYERS_LIBS="$LAYERS_LIBS -lbz2"])])
  AS_IF([test "x$have_layers" = xno], [LAYERS_LIBS=])
  AC_SUBST([LAYERS_LIBS])
  AM_CONDITIONAL([HAVE_LAYER], [test "x$have_layers" = xyes])
  AM_CONDITIONAL([HAVE_FLATTEN], [test "x$have_layers" = xyes])
  AM_CONDITIONAL([HAVE_PACK], [test "x$have_layers" = xyes])
  AM_CONDITIONAL([HAVE_ISAL], [test "x$have_isal" = xyes])
  AM_CONDITIONAL([HAVE_LZMA], [test "x$have_lzma" = xyes])
  AM_CONDITIONAL([HAVE_BZIP2], [test "x$have_bzip2" = xyes])
  AS_IF([test "x$have_layers" = xno], [layers_note="no images of layers; missing:$layers_note (Debian: libarchive-dev libssl-dev libzstd-dev libsquashfs-dev zlib1g-dev)"],
    [test "x$have_isal" = xyes], [layers_note="gzip by ISA-L"], [layers_note="gzip by zlib"])
  AS_IF([test "x$have_lzma" = xno], [layers_note="$layers_note; no tars with xz (liblzma-dev)"])
  AS_IF([test "x$have_bzip2" = xno], [layers_note="$layers_note; no tars with bzip2 (libbz2-dev)"])
])
