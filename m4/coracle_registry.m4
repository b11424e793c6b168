# CORACLE_REGISTRY
# What fetching images from registries needs: libcurl from 7.62 (curl_url(3)) and
# libcrypto and libssl from OpenSSL 1.1 or later.
AC_DEFUN([CORACLE_REGISTRY], [
  AC_ARG_WITH([registry],
    [AS_HELP_STRING([--without-registry], [leave out what fetches images from registries])],
    [], [with_registry=auto])
  have_registry=no registry_note="no registries: --without-registry" REGISTRY_LIBS=
  AS_IF([test "x$with_registry" != xno], [
    have_registry=yes registry_note=
    AC_CHECK_HEADER([curl/curl.h], [], [have_registry=no registry_note="$registry_note curl/curl.h"])
    AC_CHECK_HEADER([openssl/evp.h], [], [have_registry=no registry_note="$registry_note openssl/evp.h"])
    AC_CHECK_LIB([curl], [curl_url], [:], [have_registry=no registry_note="$registry_note libcurl"])
    AC_CHECK_LIB([crypto], [EVP_MD_CTX_new], [:], [have_registry=no registry_note="$registry_note libcrypto"])
    AC_CHECK_LIB([ssl], [SSL_CTX_get_cert_store], [:], [have_registry=no registry_note="$registry_note libssl"])
  ])
  AS_IF([test "x$have_registry" = xno && test "x$with_registry" = xyes],
    [AC_MSG_ERROR([--with-registry needs:$registry_note (Debian: libcurl4-openssl-dev libssl-dev)])])
  AS_IF([test "x$have_registry" = xyes],
    [REGISTRY_LIBS="-lcurl -lssl -lcrypto -lpthread" registry_note="docker://, through libcurl"],
    [test "x$with_registry" != xno], [registry_note="no registries; missing:$registry_note"])
  AC_SUBST([REGISTRY_LIBS])
  AM_CONDITIONAL([HAVE_REGISTRY], [test "x$have_registry" = xyes])
])
