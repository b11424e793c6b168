#include "stage.h"

const struct scenario scenarios[] = {
    {.name = "default view", .image = "full", .checks = {"there:/proc/self", "there:/dev/null"}},
    {.name = "missing mount points",
     .image = "bare",
     .options = {"--bind", "/tmp/source:/deep/down/target:ro", "--tmpfs", "/fast:size=64k"},
     .checks = {"there:/deep/down/target/file", "ro:/deep/down/target", "rw:/fast", "ro:/"}},
    {.name = "another identity",
     .image = "full",
     .options = {"--uid", "4242", "--gid", "4243", "--env", "A=b", "--clean-env"},
     .checks = {"uid:4242", "there:/etc/passwd", "ro:/etc"}},
    {.name = "root", .image = "full", .options = {"--root"}, .checks = {"uid:0", "capable"}},
    {.name = "writable root",
     .image = "full",
     .options = {"--writable-tmpfs"},
     .checks = {"rw:/", "rw:/etc"}},
    {.name = "a SquashFS file",
     .image = "bare",
     .is_served = 1,
     .options = {"--bind", "/tmp/source:/deep/down/target:ro", "--tmpfs", "/fast:size=64k"},
     .checks = {"there:/proc/self", "there:/deep/down/target/file", "ro:/deep/down/target", "rw:/fast",
                "ro:/"}},
    {.name = "a SquashFS file, writable root",
     .image = "full",
     .is_served = 1,
     .options = {"--writable-tmpfs"},
     .checks = {"there:/dev/null", "rw:/", "rw:/etc"}},
    {.name = "no record yet", .image = "full", .is_cold = 1, .checks = {"there:/etc/passwd"}},
};

const int scenario_count = sizeof scenarios / sizeof scenarios[0];
