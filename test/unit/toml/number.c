#include "show.h"

static const struct good good[] = {
    {"a=0", "{a=0}"},
    {"a=+0", "{a=0}"},
    {"a=-0", "{a=0}"},
    {"a=42", "{a=42}"},
    {"a=+42", "{a=42}"},
    {"a=-42", "{a=-42}"},
    {"a=1_000", "{a=1000}"},
    {"a=5_349_221", "{a=5349221}"},
    {"a=1_2_3_4", "{a=1234}"},
    {"a=-1_0", "{a=-10}"},
    {"a=9223372036854775807", "{a=9223372036854775807}"},
    {"a=+9_223_372_036_854_775_807", "{a=9223372036854775807}"},
    {"a=-9223372036854775808", "{a=-9223372036854775808}"},
    {"a=0xDEADBEEF", "{a=3735928559}"},
    {"a=0xdeadbeef", "{a=3735928559}"},
    {"a=0xdead_beef", "{a=3735928559}"},
    {"a=0x00_1", "{a=1}"},
    {"a=0x0", "{a=0}"},
    {"a=0x7fffffffffffffff", "{a=9223372036854775807}"},
    {"a=0o01234567", "{a=342391}"},
    {"a=0o755", "{a=493}"},
    {"a=0o777777777777777777777", "{a=9223372036854775807}"},
    {"a=0b11010110", "{a=214}"},
    {"a=0b1_0", "{a=2}"},
    {"a=0b111111111111111111111111111111111111111111111111111111111111111", "{a=9223372036854775807}"},
    {"a=0xe1", "{a=225}"},
    {"a=1.0", "{a=f1}"},
    {"a=+1.0", "{a=f1}"},
    {"a=-0.01", "{a=f-0.01}"},
    {"a=0.0", "{a=f0}"},
    {"a=-0.0", "{a=f-0}"},
    {"a=+0.0", "{a=f0}"},
    {"a=3.1415", "{a=f3.1415000000000002}"},
    {"a=5e+22", "{a=f4.9999999999999996e+22}"},
    {"a=1e06", "{a=f1000000}"},
    {"a=-2E-2", "{a=f-0.02}"},
    {"a=6.626e-34", "{a=f6.6259999999999998e-34}"},
    {"a=224_617.445_991_228", "{a=f224617.44599122801}"},
    {"a=1e1_0", "{a=f10000000000}"},
    {"a=1_0e0_1", "{a=f100}"},
    {"a=0e0", "{a=f0}"},
    {"a=0e00", "{a=f0}"},
    {"a=0.0e-0", "{a=f0}"},
    {"a=1e308", "{a=f1e+308}"},
    {"a=1e-400", "{a=f0}"},
    {"a=9007199254740993.0", "{a=f9007199254740992}"},
    {"a=inf", "{a=finf}"},
    {"a=+inf", "{a=finf}"},
    {"a=-inf", "{a=f-inf}"},
    {"a=nan", "{a=fnan}"},
    {"a=+nan", "{a=fnan}"},
    {"a=[1,1.0,inf,0x1]", "{a=[1,f1,finf,1]}"},
};

static const struct bad bad[] = {
    {"a=00", "1:3: a number must not begin with 0; an octal one begins with 0o"},
    {"a=01", "1:3: a number must not begin with 0"},
    {"a=0755", "1:3: a number must not begin with 0"},
    {"a=-01", "1:4: a number must not begin with 0"},
    {"a=+0_1", "1:4: a number must not begin with 0"},
    {"a=00.5", "1:3: a number must not begin with 0"},
    {"a=01e1", "1:3: a number must not begin with 0"},
    {"a=9223372036854775808", "1:3: this integer is out of range: from -9223372036854775808"},
    {"a=-9223372036854775809", "1:3: this integer is out of range"},
    {"a=99999999999999999999999", "1:3: this integer is out of range"},
    {"a=18446744073709551616", "1:3: this integer is out of range"},
    {"a=0x8000000000000000", "1:3: this integer is out of range"},
    {"a=0xffffffffffffffff", "1:3: this integer is out of range"},
    {"a=0o1000000000000000000000", "1:3: this integer is out of range"},
    {"a=0b1000000000000000000000000000000000000000000000000000000000000000", "1:3: this integer is out of"},
    {"a=_1", "1:3: expected a digit, found '_'"},
    {"a=1_", "1:5: expected a digit, found the end of the number"},
    {"a=1__0", "1:5: expected a digit, found '_'"},
    {"a=+_1", "1:4: expected a digit, found '_'"},
    {"a=+", "1:4: expected a digit, found the end of the number"},
    {"a=-", "1:4: expected a digit, found the end of the number"},
    {"a=- 1", "1:4: expected a digit, found the end of the number"},
    {"a=++1", "1:3: ++1 is no value"},
    {"a=1,000", "1:4: expected the end of the line, found ','"},
    {"a=1 000", "1:5: expected the end of the line, found '0'"},
    {"a=1a", "1:4: expected a digit or the end of the number, found 'a'"},
    {"a=1k", "1:4: expected a digit or the end of the number, found 'k'"},
    {"a=0x", "1:5: expected a digit of this base, found the end of the number"},
    {"a=0o", "1:5: expected a digit of this base, found the end of the number"},
    {"a=0b", "1:5: expected a digit of this base, found the end of the number"},
    {"a=0x_1", "1:5: expected a digit of this base, found '_'"},
    {"a=0x1_", "1:7: expected a digit of this base, found the end"},
    {"a=0x1__2", "1:7: expected a digit of this base, found '_'"},
    {"a=0_x1", "1:5: expected a digit, found 'x'"},
    {"a=0xg", "1:5: expected a digit of this base, found 'g'"},
    {"a=0x1.5", "1:6: expected a digit of this base, found '.'"},
    {"a=0o8", "1:5: expected a digit of this base, found '8'"},
    {"a=0o18", "1:6: expected a digit of this base, found '8'"},
    {"a=0b2", "1:5: expected a digit of this base, found '2'"},
    {"a=0b1e1", "1:6: expected a digit of this base, found 'e'"},
    {"a=0X1", "1:4: expected a digit or the end of the number, found 'X'"},
    {"a=0O1", "1:4: expected a digit or the end of the number, found 'O'"},
    {"a=0B1", "1:4: expected a digit or the end of the number, found 'B'"},
    {"a=+0x1", "1:5: expected a digit or the end of the number, found 'x'"},
    {"a=-0o1", "1:5: expected a digit or the end of the number, found 'o'"},
    {"a=-0b1", "1:5: expected a digit or the end of the number, found 'b'"},
    {"a=.5", "1:3: expected a digit, found '.'"},
    {"a=+.5", "1:4: expected a digit, found '.'"},
    {"a=5.", "1:5: expected a digit, found the end of the number"},
    {"a=5.e1", "1:5: expected a digit, found 'e'"},
    {"a=5._1", "1:5: expected a digit, found '_'"},
    {"a=5_.1", "1:5: expected a digit, found '.'"},
    {"a=5.1_", "1:7: expected a digit, found the end of the number"},
    {"a=5.1_e1", "1:7: expected a digit, found 'e'"},
    {"a=5.1__2", "1:7: expected a digit, found '_'"},
    {"a=1.2.3", "1:6: expected a digit or the end of the number, found '.'"},
    {"a=1e", "1:5: expected a digit, found the end of the number"},
    {"a=1e+", "1:6: expected a digit, found the end of the number"},
    {"a=1e_1", "1:5: expected a digit, found '_'"},
    {"a=1_e1", "1:5: expected a digit, found 'e'"},
    {"a=1e1_", "1:7: expected a digit, found the end of the number"},
    {"a=1e1__0", "1:7: expected a digit, found '_'"},
    {"a=1e.1", "1:5: expected a digit, found '.'"},
    {"a=1e1.5", "1:6: expected a digit or the end of the number, found '.'"},
    {"a=1ee1", "1:5: expected a digit, found 'e'"},
    {"a=1e1e1", "1:6: expected a digit or the end of the number, found 'e'"},
    {"a=1.0f", "1:6: expected a digit or the end of the number, found 'f'"},
    {"a=1e309", "1:3: this number is too large"},
    {"a=-1e309", "1:3: this number is too large"},
    {"a=Inf", "1:3: Inf is no value"},
    {"a=INF", "1:3: INF is no value"},
    {"a=NaN", "1:3: NaN is no value"},
    {"a=infinity", "1:3: infinity is no value"},
    {"a=in", "1:3: in is no value"},
    {"a=-in", "1:3: -in is no value"},
    {"a=inf_", "1:3: inf_ is no value"},
    {"a=+nan_", "1:3: +nan_ is no value"},
    {"a=--inf", "1:3: --inf is no value"},
    {"a=1\302\240", "1:4: expected the end of the line"},
    {"a=\331\240", "1:3: expected a value, found '\331\240'"},
};

/* The sign of -0.0 and -nan is kept. */
static void test_signs(void)
{
    static const char *const negative[] = {"a=-0.0", "a=-0e0", "a=-nan", "a=-inf"};
    static const char *const positive[] = {"a=0.0", "a=+0e0", "a=nan", "a=+nan", "a=0e-1"};
    const struct toml_value *root;

    for (size_t i = 0; i < sizeof(negative) / sizeof(negative[0]); i++) {
        tap.row = negative[i];
        root = read_text(negative[i]);
        TAP_TRUE(root && root->first->kind == TOML_FLOAT && __builtin_signbit(root->first->number));
    }
    for (size_t i = 0; i < sizeof(positive) / sizeof(positive[0]); i++) {
        tap.row = positive[i];
        root = read_text(positive[i]);
        TAP_TRUE(root && root->first->kind == TOML_FLOAT && !__builtin_signbit(root->first->number));
    }
    tap.row = NULL;
}

int main(void)
{
    arena_init(&arena, tap_no_memory);
    TEST_GOOD(good);
    TEST_BAD(bad);
    test_signs();
    arena_free(&arena);
    return tap_done();
}
