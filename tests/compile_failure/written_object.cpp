// An object that cannot say what an answer looks like as text.
// prints: written_object
// prints: T::value_of(answer)
#include "totora/sim/history_json.hpp"

#include <string>

struct Object
{
    using State = int;
    using Action = int;
    using Answer = int;

    State  initial() const;
    Answer apply(State& state, Action action) const;

    static totora::sim::Fields                 fields_of(Action action);
    static totora::Result<Action, std::string> read_action(totora::sim::Fields const& fields);
    static totora::Result<Answer, std::string> read_answer(Action action, totora::sim::Scalar const& value);
#ifndef TOTORA_EXPECT_FAILURE
    static totora::sim::Scalar value_of(Answer answer);
#endif
};

inline auto write(totora::sim::History<Object> const& history) { return totora::sim::write_history(history); }
