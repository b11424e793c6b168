#include "habits.h"

#include <stddef.h>
#include <string.h>

struct habit {
    const char *words; /* with a blank around each */
    const char *advice;
};

/* docker-run(1), podman-run(1), apptainer run --help, ch-run(1) */
static const struct habit options[] = {
    {" --volume -B ", "write --bind SRC:DST"},
    {" --pwd --cwd --cd ", "write --workdir DIR"},
    {" --nv --nvccli --rocm --gpus --device ",
     "leave it out: all devices are there; doc/tutorial.md shows how to bind a driver's libraries"},
    {" --interactive --tty -i -t ", "leave it out: a command has your terminal and standard input"},
    {" --rm ", "leave it out: nothing is left of a container"},
    {" --detach -d ", "leave it out, and end the line with &"},
    {" --net --network --publish -p ", "leave it out: the network is the host's"},
    {" --user ", "write --uid UID and --gid GID, or --root"},
    {" --fakeroot -f --privileged ", "write --root"},
    {" --cleanenv ", "write --clean-env"},
    {" --contain --containall -C ", "write --no-home --no-default-binds"},
    {" --no-mount ", "write --no-home or --no-default-binds"},
    {" --writable ", "write --write, or --writable-tmpfs"},
    {" --overlay --write-fake -W ", "write --writable-tmpfs"},
    {" --read-only ", "leave it out: only --write and --writable-tmpfs let an image be changed"},
    {" --scratch ", "write --tmpfs DST"},
    {" --shm-size ", "leave it out: /dev/shm is the host's"},
    {" --set-env ", "write --env NAME=VALUE, or --env-file FILE"},
    {" --join ", "leave it out: ranks of a step meet by themselves; see --share"},
    {" -V ", "coracle --version prints the version"},
};

static const struct habit commands[] = {
    {" ls list image cache ", "coracle images lists the images, coracle ps the containers"},
    {" rmi ", "coracle rm removes images"},
    {" version -V -v ", "coracle --version prints it"},
    {" info ", "coracle doctor tells what this node offers"},
    {" enter attach ", "coracle exec goes into a container, coracle shell starts one"},
    {" load import save export ", "coracle convert makes one kind of image of another"},
    {" push ", "coracle only fetches images; skopeo and podman bring them to a registry"},
    {" build ", "coracle builds no images; coracle convert takes those that podman, docker and others build"},
    {" start stop kill instance logs ", "a container is a process like any other, and ends with its command"},
};

static const char *find(const struct habit *habits, size_t count, const char *word)
{
    const size_t length = strlen(word);

    for (size_t i = 0; length && !strchr(word, ' ') && i < count; i++)
        for (const char *at = habits[i].words; (at = strstr(at, word)); at++)
            if (at[-1] == ' ' && at[length] == ' ')
                return habits[i].advice;
    return NULL;
}

const char *habit_of_option(const char *option)
{
    return find(options, sizeof(options) / sizeof(options[0]), option);
}

const char *habit_of_command(const char *command)
{
    return find(commands, sizeof(commands) / sizeof(commands[0]), command);
}
