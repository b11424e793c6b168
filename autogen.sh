#!/bin/sh
# Makes configure and Makefile.in from a checkout. Needs autoconf and automake.
cd "$(dirname "$0")" && exec autoreconf --install --force
