// An object that has no text for an answer.
// prints: written_object
// prints: T::value_of(answer)
#include "totora/testing/linearizability/history_json.hpp"

#include <string>

struct Object
{
    using State = int;
    using Action = int;
    using Answer = int;

    State  initial() const;
    Answer apply(State& state, Action action) const;

    static totora::linearizability::Fields     fields_of(Action action);
    static totora::Result<Action, std::string> read_action(totora::linearizability::Fields const& fields);
    static totora::Result<Answer, std::string> read_answer(Action action, totora::linearizability::Scalar const& value);
#ifndef TOTORA_EXPECT_FAILURE
    static totora::linearizability::Scalar value_of(Answer answer);
#endif
};

inline auto write(totora::linearizability::History<Object> const& history)
{
    return totora::linearizability::write_history(history);
}
