#include "host/machine.h"

#include <string.h>
#include <sys/utsname.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* Registers of CPUID, and those that a level needs bits of. Intel SDM, volume 2A, CPUID. */
enum { BASE_ECX, WIDE_EBX, EXTENDED_ECX, STATE_EAX, WORDS };

static const unsigned needed[][WORDS] = {
    /* SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; LAHF */
    {[BASE_ECX] = 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23, [EXTENDED_ECX] = 1u << 0},
    /* FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT; XMM and YMM are kept */
    {[BASE_ECX] = 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29,
     [WIDE_EBX] = 1u << 3 | 1u << 5 | 1u << 8,
     [EXTENDED_ECX] = 1u << 5,
     [STATE_EAX] = 0x06},
    /* AVX512F, DQ, CD, BW, VL; opmask and ZMM are kept */
    {[WIDE_EBX] = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31, [STATE_EAX] = 0xE6},
};

static void read_words(unsigned words[WORDS])
{
    unsigned eax, ebx, ecx, edx;

    memset(words, 0, WORDS * sizeof(*words));
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        words[BASE_ECX] = ecx;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        words[WIDE_EBX] = ebx;
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
        words[EXTENDED_ECX] = ecx;
    if (words[BASE_ECX] & 1u << 27) /* OSXSAVE: the instruction exists */
        __asm__ volatile("xgetbv" : "=a"(words[STATE_EAX]), "=d"(edx) : "c"(0));
}

static int find_level(void)
{
    unsigned words[WORDS];
    int level = 1;

    read_words(words);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++, level++)
        for (int word = 0; word < WORDS; word++)
            if ((words[word] & needed[i][word]) != needed[i][word])
                return level;
    return level;
}
#else
static int find_level(void)
{
    return 0;
}
#endif

void host_machine_find(struct host_machine *machine)
{
    struct utsname name;

    memset(machine, 0, sizeof(*machine));
    if (uname(&name) == 0)
        memcpy(machine->name, name.machine, strnlen(name.machine, sizeof(machine->name) - 1));
    machine->level = find_level();
}
