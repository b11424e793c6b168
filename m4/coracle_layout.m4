# CORACLE_LAYOUT
# What reading OCI layouts and docker-archives needs: libcrypto from OpenSSL 1.1 or later,
# for digests.
AC_DEFUN([CORACLE_LAYOUT], [
  have_layout=yes layout_note= LAYOUT_LIBS=
  AC_CHECK_HEADER([openssl/evp.h], [], [have_layout=no layout_note="$layout_note openssl/evp.h"])
  AC_CHECK_LIB([crypto], [EVP_Digest], [:], [have_layout=no layout_note="$layout_note libcrypto"])
  AS_IF([test "x$have_layout" = xyes],
    [LAYOUT_LIBS=-lcrypto layout_note="oci:, oci-archive:, docker-archive:"],
    [layout_note="no layouts and archives; missing:$layout_note (Debian: libssl-dev)"])
  AC_SUBST([LAYOUT_LIBS])
  AM_CONDITIONAL([HAVE_LAYOUT], [test "x$have_layout" = xyes])
  AM_CONDITIONAL([HAVE_CHECKSUM], [test "x$have_layout" = xyes])
])
