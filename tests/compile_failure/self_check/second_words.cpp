// complaint: the first error does not contain: giver.give(most)
// first: giver.give(most)
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
#ifdef TOTORA_EXPECT_FAILURE
    give(int most);
#else
    int give(int most);
#endif
};

template struct Holder<Giver>;
