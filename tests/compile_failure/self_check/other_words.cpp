// complaint: the error does not contain: giver.take(least)
// prints: giver.take(least)
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
