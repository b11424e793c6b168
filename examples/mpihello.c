/*
 * mpihello - each rank says where it runs; together they compute a sum that is checked.
 *
 *     mpicc -o mpihello mpihello.c
 *     mpirun -np 4 coracle run IMAGE -- ./mpihello
 *
 * Exits with 0 when the sum is right in every rank.
 */
#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number of this process's mount namespace; 0 where /proc does not tell. */
static unsigned long long mount_namespace(void)
{
    char link[64];
    unsigned long long number = 0;
    ssize_t length = readlink("/proc/self/ns/mnt", link, sizeof link - 1);

    if (length < 0)
        return 0;
    link[length] = '\0';
    return sscanf(link, "mnt:[%llu]", &number) == 1 ? number : 0;
}

static int count_distinct(const unsigned long long *numbers, int count)
{
    int distinct = 0;

    for (int i = 0; i < count; i++) {
        int seen_before = 0;

        for (int j = 0; j < i; j++)
            seen_before |= numbers[j] == numbers[i];
        distinct += !seen_before;
    }
    return distinct;
}

/* Collective: rank 0 prints in how many mount namespaces the ranks are. */
static void report_containers(int rank, int size)
{
    unsigned long long mine = mount_namespace();
    unsigned long long *all = NULL;

    if (rank == 0) {
        all = malloc((size_t)size * sizeof *all);
        if (!all) {
            fprintf(stderr, "mpihello: no memory for %d ranks\n", size);
            MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
        }
    }
    MPI_Gather(&mine, 1, MPI_UNSIGNED_LONG_LONG, all, 1, MPI_UNSIGNED_LONG_LONG, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        printf("%d ranks in %d mount namespaces\n", size, count_distinct(all, size));
        fflush(stdout);
    }
    free(all);
}

/* Collective. Returns whether the sum of the rank numbers is what Gauss says. */
static int sum_is_right(int rank, int size)
{
    long long mine = rank;
    long long sum = -1;
    long long expected = (long long)size * (size - 1) / 2;

    MPI_Allreduce(&mine, &sum, 1, MPI_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
    if (sum != expected)
        fprintf(stderr, "rank %d: the sum of all ranks is %lld, should be %lld\n", rank, sum, expected);
    else if (rank == 0)
        printf("the sum of all ranks is %lld, as it should be\n", sum);
    return sum == expected;
}

int main(int argc, char **argv)
{
    int rank;
    int size;
    int right;
    char host[256] = "";

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (gethostname(host, sizeof host - 1) < 0)
        snprintf(host, sizeof host, "(%s)", strerror(errno));
    printf("rank %d of %d  host %s  pid %ld  mount namespace %llu\n", rank, size, host, (long)getpid(),
           mount_namespace());
    fflush(stdout);
    right = sum_is_right(rank, size);
    report_containers(rank, size);
    MPI_Finalize();
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
