// An object whose states cannot be compared.
// prints: sequential_object
// prints: totally_ordered
#include "totora/testing/linearizability/linearizability.hpp"

#include <compare>

struct Object
{
    struct State
    {
        int value;

#ifndef TOTORA_EXPECT_FAILURE
        friend auto operator<=>(State const&, State const&) = default;
#endif
    };

    using Action = int;
    using Answer = int;

    State  initial() const;
    Answer apply(State& state, Action action) const;
};

static_assert(sizeof(totora::linearizability::Operation<Object>) > 0);
