// SPDX-License-Identifier: BSL-1.0
// Whether the answers that clients got can be right. Without an argument, two small histories are judged, one good and one bad, and
// one by a model of its own. With one, the history of a key-value store in that file (docs/formats.md describes its lines).
#include "totora/testing/linearizability/history_json.hpp"
#include "totora/testing/linearizability/key_value.hpp"
#include "totora/testing/linearizability/linearizability.hpp"
#include "totora/testing/linearizability/linearizability_report.hpp"
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
using namespace totora;

/// Judges lines and prints the verdict. True if they are linearizable.
bool check_history(std::string const& lines)
{
    auto const history = linearizability::read_history<linearizability::KeyValue>(lines);
    if (not history) {
        std::printf("line %zu: %s\n", history.error().line, history.error().what.c_str());
        return false;
    }
    auto const verdict = linearizability::check_linearizability(*history);
    std::printf("%s", linearizability::describe(*history, verdict).c_str());
    return verdict.kind == linearizability::VerdictKind::linearizable;
}

/// A model of your own: a lock, free at first.
struct Lock
{
    enum class Action
    {
        acquire,
        release,
    };
    using State = bool;
    using Answer = bool; ///< Whether it was acquired, or had been held until it was released.

    State  initial() const { return false; }
    Answer apply(State& held, Action action) const
    {
        auto const was_held = held;
        held = action == Action::acquire;
        return action == Action::acquire ? not was_held : was_held;
    }
};

int main(int count, char** words)
{
    if (count == 2) {
        auto       file = std::ifstream{words[1]};
        auto const lines = std::string{std::istreambuf_iterator<char>{file}, {}};
        if (not file)
            std::printf("%s cannot be read\n", words[1]);
        return file and check_history(lines) ? 0 : 1;
    }
    auto const put =
        std::string{R"({"client":1,"key":"x","call":3,"action":"put","value":"a","return":8,"answer":null})"};
    auto const good = put + "\n" + R"({"client":2,"key":"x","call":5,"action":"get","return":6,"answer":"a"})";
    auto const bad = put + "\n" + R"({"client":2,"key":"x","call":9,"action":"get","return":12,"answer":null})";

    auto const both_hold_it = linearizability::History<Lock>{
        {.client = 1, .action = Lock::Action::acquire, .called = 1, .ended = {{.at = 4, .answer = true}}},
        {.client = 2, .action = Lock::Action::acquire, .called = 2, .ended = {{.at = 5, .answer = true}}},
    };
    auto const verdict = linearizability::check_linearizability(both_hold_it);
    std::printf("two clients hold one lock: operations %zu and %zu contradict each other\n",
                verdict.contradiction.at(0), verdict.contradiction.at(1));
    return check_history(good) and not check_history(bad) and
                   verdict.kind == linearizability::VerdictKind::not_linearizable
               ? 0
               : 1;
}
