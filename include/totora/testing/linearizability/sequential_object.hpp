// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/scalar.hpp"

#include <concepts>
#include <string>

namespace totora::inline v0::linearizability
{

/// The object that clients seem to use: a single one, used by one client at a time. A history is checked against it.
///
/// State and actions are compared, for which a defaulted `operator<=>` will do. Where keys are independent of each other,
/// this is the object of one key.
///
/// What the compiler cannot check: `apply` depends on its arguments alone and does not throw; equal actions do the
/// same.
// clang-format off: version 14 cannot format requires-expressions.
template <typename T>
concept sequential_object = std::copyable<typename T::State> and std::totally_ordered<typename T::State> and
    std::totally_ordered<typename T::Action> and std::equality_comparable<typename T::Answer> and
    requires(T const& object, typename T::State& state, typename T::Action const& action)
{
    {
        object.initial()
        } -> std::same_as<typename T::State>;
    {
        object.apply(state, action)
        } -> std::same_as<typename T::Answer>;
};

/// An object that declares which operations only observe: whatever the state, an action that answers this leaves it as
/// it is. A read is one, a write never is. The declaration is optional, but makes searches much shorter.
template <typename T>
concept object_with_observations = sequential_object<T> and
    requires(typename T::Action const& action, typename T::Answer const& answer)
{
    {
        T::is_observation(action, answer)
        } -> std::same_as<bool>;
};

/// An object whose histories can be written and read.
///
/// The fields of an action begin with `action`, its name, and must not have the names of the fields that every
/// operation has; see `history_json.hpp`. What is read back is what was written.
template <typename T>
concept written_object = sequential_object<T> and
    requires(typename T::Action const& action, typename T::Answer const& answer, Fields const& fields,
             Scalar const& value)
{
    {
        T::fields_of(action)
        } -> std::same_as<Fields>;
    {
        T::read_action(fields)
        } -> std::same_as<Result<typename T::Action, std::string>>;
    {
        T::value_of(answer)
        } -> std::same_as<Scalar>;
    {
        T::read_answer(action, value)
        } -> std::same_as<Result<typename T::Answer, std::string>>;
};
// clang-format on

} // namespace totora::inline v0::linearizability
