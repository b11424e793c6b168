# CORACLE_SANITIZERS
# --enable-sanitizers: AddressSanitizer and UndefinedBehaviorSanitizer in every
# program. They cannot be static: CORACLE_LIGHT_LIBC then takes dynamic glibc.
AC_DEFUN([CORACLE_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers], [build with ASan and UBSan])],
    [], [enable_sanitizers=no])
  SANITIZE_CFLAGS=
  AS_IF([test "x$enable_sanitizers" = xyes],
    [SANITIZE_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"])
  AC_SUBST([SANITIZE_CFLAGS])
  AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
])
