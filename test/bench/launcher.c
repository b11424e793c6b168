/*
 * launcher - what any launcher costs at least: the exec of a small static program,
 * and another of the command.
 *
 *     launcher COMMAND [ARG...]
 *     launcher
 *
 * COMMAND is a path, not looked up. Without it the launcher says that it is there,
 * with a line, and stays until its input ends: a rank for others to meet.
 * The meet bench holds a launch that enters what is there against it.
 */
#include <unistd.h>

static int stay(void)
{
    char byte;
    if (write(STDOUT_FILENO, "here\n", 5) != 5)
        return 125;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}

int main(int argc, char **argv, char **environment)
{
    if (argc < 2)
        return stay();
    execve(argv[1], argv + 1, environment);
    return 127;
}
