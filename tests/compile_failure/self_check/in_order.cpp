// In order: the compiler names the missing expression, and the fixed twin compiles.
// prints: giver.give(most)
// prints(g++): the required expression
// prints(clang++): because
template <typename T>
concept number_giver = requires(T& giver, int most)
{
    giver.give(most);
};

template <number_giver T>
struct Holder
{};

struct Giver
{
#ifndef TOTORA_EXPECT_FAILURE
    int give(int most);
#endif
};

template struct Holder<Giver>;
