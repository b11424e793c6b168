/*
 * sample - a record for tests.
 */
#ifndef CORACLE_TEST_HOST_SAMPLE_H
#define CORACLE_TEST_HOST_SAMPLE_H

#include "host/record-file.h"

static const uint32_t sample_groups[] = {1001, 27};

static const struct record_setting sample_settings[] = {
    {"bind", "/a\\b:/c", "/etc/coracle/coracle.toml:2"},
    {"no-home", NULL, "/etc/coracle/coracle.toml:3"},
    {"env", "A=\x01\n", "/home/alice/.config/coracle/coracle.toml:1"},
};

/* One with a directory. */
static const struct record_file sample = {
    .uid = 1001,
    .boot = 1700000000,
    .made = 1700000100,
    .holds = RECORD_MAX_AGE,
    .inputs = {"1:2:3:4.5:6.7", "absent", "8:9:1:2.3:4.5", "/mnt/slurm.conf", "default", "none"},
    .groups = sample_groups,
    .group_count = 2,
    .user = "alice",
    .home = "/home/alice",
    .shell = "/bin/sh",
    .slurm_conf = "/mnt/slurm.conf",
    .auth = "/run/munge",
    .many_mounts = 1,
    .config_error = "",
    .settings = sample_settings,
    .setting_count = 3,
    .directory = "/tmp/coracle-1001",
    .passwd = "",
    .group = "",
};

#endif
