// SPDX-License-Identifier: BSL-1.0
// Your own storage, your own transport, your own state machine: three servers of one process, each with a SQLite database
// and a Unix datagram socket. First they are asked whether they keep the laws of what they are. Then the one that leads is
// stopped, the others go on, and it catches up from its database.
#include "totora/clock/steady_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/testing/conformance/log.hpp"
#include "totora/testing/conformance/state_machine.hpp"
#include "totora/testing/conformance/transport.hpp"
#include "totora/totora.hpp"
#include "totora/wire/codec.hpp"

#include <poll.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

using namespace totora;

// --- 1. What is replicated ---------------------------------------------------------------------------------------

/// A set of words. A word may be added twice, so that a client may try again when it does not know what became of it.
struct Words
{
    using Response = std::size_t; ///< How many there are now.
    std::set<std::string> words;

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands) {
            words.emplace(reinterpret_cast<char const*>(command.payload.data()), command.payload.size());
            responses.push_back(words.size());
        }
    }
    Index applied_index() const { return {}; } // In memory only: after a restart it is given all again.

    /// Differs if what was done differs: the laws and the simulator distinguish machines by it.
    std::uint64_t digest() const
    {
        auto all = std::string{};
        for (auto const& word : words)
            all += word + '\n';
        return std::hash<std::string>{}(all);
    }
};

// --- 2. Where a server keeps its promises ------------------------------------------------------------------------

/// The rows that one SQL statement gives, with `values` for its question marks.
class Rows
{
public:
    template <typename... Values>
    Rows(sqlite3* db, char const* sql, Values const&... values)
    {
        sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr);
        auto at = 0;
        (bind(++at, values), ...);
    }
    Rows(Rows const&) = delete;
    ~Rows() { sqlite3_finalize(statement_); }

    bool          next() { return (result_ = sqlite3_step(statement_)) == SQLITE_ROW; }
    bool          failed() const { return result_ != SQLITE_ROW and result_ != SQLITE_DONE; }
    std::uint64_t number(int column) const { return std::uint64_t(sqlite3_column_int64(statement_, column)); }
    std::span<std::byte const> bytes(int column) const // Until the next row.
    {
        auto const* data = static_cast<std::byte const*>(sqlite3_column_blob(statement_, column));
        return {data, std::size_t(sqlite3_column_bytes(statement_, column))};
    }

private:
    void bind(int at, std::uint64_t value) { sqlite3_bind_int64(statement_, at, sqlite3_int64(value)); }
    void bind(int at, std::span<std::byte const> value)
    {
        sqlite3_bind_blob64(statement_, at, value.data(), value.size(), SQLITE_TRANSIENT);
    }

    sqlite3_stmt* statement_ = nullptr;
    int           result_ = SQLITE_ERROR;
};

/// A log in a database, with a `MemoryLog` in front of it for what is read. Writes go into one open transaction, which
/// `sync` commits: so what is durable is a prefix of them. Only a `DurableSource` can make a `Durable`.
class SqliteLog : DurableSource
{
public:
    explicit SqliteLog(std::string const& path)
    {
        check(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
        run("PRAGMA journal_mode = WAL");
        run("PRAGMA synchronous = FULL");
    }
    SqliteLog(SqliteLog const&) = delete;
    ~SqliteLog() { sqlite3_close(db_); }

    /// Makes a server, once. Making it again fails: it would forget what it has promised.
    void create(Identity const& identity)
    {
        run("CREATE TABLE entry (position INTEGER PRIMARY KEY, bytes BLOB)");
        run("CREATE TABLE server (cluster, id, incarnation, members, term, vote, saved_commit, grp, clean)");
        run("INSERT INTO server VALUES (?, ?, ?, ?, 0, 0, 0, ?, 0)", identity.cluster.value, identity.id.value,
            identity.incarnation.value, encode_peers(identity.first_members), identity.group);
    }

    Result<Recovered, LogError> recover()
    {
        auto       server = Rows{db_, "SELECT * FROM server"};
        auto const members = server.next() ? decode_peers(server.bytes(3)) : std::nullopt;
        if (not members)
            return Unexpected{LogError{LogFailure::not_found, "There is no server in this database."}};
        memory_.emplace(
            Identity{{server.number(0)}, {server.number(1)}, {server.number(2)}, *members, server.number(7)});
        auto const vote = ServerId{server.number(5)};
        memory_->save_vote({}, Term{server.number(4)}, vote == nobody ? std::nullopt : std::optional{vote});

        auto rows = Rows{db_, "SELECT bytes FROM entry ORDER BY position"};
        while (rows.next()) {
            // Bytes are pinned: a block lives as long as anybody needs what is in it.
            auto const block = std::make_shared<std::vector<std::byte>>(rows.bytes(0).begin(), rows.bytes(0).end());
            auto const entry = view_entry(*block);
            if (not entry or not is_intact(*entry) or entry->index != next(last().index))
                return Unexpected{LogError{LogFailure::damaged, "The database holds a damaged entry."}};
            auto entries = Entries{};
            entries.add({block, *block}, 1);
            memory_->append({}, entries);
        }
        memory_->save_commit(Index{server.number(6)});
        memory_->sync();
        check(not rows.failed());
        auto const was_clean = server.number(8) != 0;
        run("UPDATE server SET clean = 0"); // A mark is one of the start before.
        if (failure_)
            return Unexpected{*failure_};
        auto recovered = memory_->recover();
        recovered->cleanly_stopped = was_clean;
        return recovered;
    }

    void save_vote(WriteNumber number, Term term, std::optional<ServerId> vote)
    {
        write(number, "UPDATE server SET term = ?, vote = ?", term.value, vote.value_or(nobody).value);
        memory_->save_vote(number, term, vote);
    }
    void append(WriteNumber number, Entries const& entries)
    {
        for (auto const entry : entries) // The encoded entry is stored as it is, checksum included.
            write(number, "INSERT INTO entry VALUES (?, ?)", entry.index.value, entry.encoded);
        memory_->append(number, entries);
    }
    void truncate(WriteNumber number, Index index)
    {
        write(number, "DELETE FROM entry WHERE position >= ?", index.value);
        memory_->truncate(number, index);
    }
    void save_commit(Index index) { write(written_, "UPDATE server SET saved_commit = ?", index.value); }

    void sync()
    {
        if (std::exchange(in_transaction_, false))
            run("COMMIT");
        if (not failure_)
            durable_ = written_;
        memory_->sync();
    }
    void close()
    {
        write(written_, "UPDATE server SET clean = 1");
        sync();
    }

    Durable                 durable() { return durable_through(durable_); }
    std::optional<LogError> failure() const { return failure_; }
    bool          has_room(std::uint64_t) const { return true; } // A full disk is a failed write here, and final.
    LogPosition   last() const { return memory_->last(); }
    std::uint64_t bytes(Index first, Index last) const { return memory_->bytes(first, last); }
    Result<Entries, LogError> read(Index first, Index last, std::uint64_t bytes_max)
    {
        return memory_->read(first, last, bytes_max);
    }

private:
    template <typename... Values>
    void run(char const* sql, Values const&... values)
    {
        if (failure_) // What failed once is never tried again: nobody knows what the disk holds then.
            return;
        auto rows = Rows{db_, sql, values...};
        rows.next();
        check(not rows.failed());
    }
    template <typename... Values>
    void write(WriteNumber number, char const* sql, Values const&... values)
    {
        written_ = number;
        if (not std::exchange(in_transaction_, true))
            run("BEGIN");
        run(sql, values...);
    }
    void check(bool succeeded)
    {
        if (not succeeded and not failure_)
            failure_ = LogError{LogFailure::write_failed, sqlite3_errmsg(db_)};
    }

    sqlite3*                 db_ = nullptr;
    std::optional<MemoryLog> memory_;
    WriteNumber              written_;
    WriteNumber              durable_;
    bool                     in_transaction_ = false;
    std::optional<LogError>  failure_;
};

// --- 3. How servers exchange messages -----------------------------------------------------------------------------

/// Unix datagram sockets. One frame is one datagram, so that nothing has to be put together; what cannot be sent is lost,
/// which Raft does not mind. The codec (wire/codec.hpp) keeps off what is damaged, and what is of others.
class DatagramTransport
{
public:
    static constexpr auto limits = FrameLimits{.frame_bytes_max = 100'000};

    /// What is larger would be dropped again and again, and nobody would know why: a node that would accept it does not start.
    static constexpr std::uint64_t entry_bytes_max() { return entry_bytes_through(limits); }

    DatagramTransport(ClusterId cluster, Party self, std::string const& path) : cluster_(cluster), self_(self)
    {
        auto const address = address_of(path);
        ::unlink(path.c_str());
        if (not address or ::bind(socket_, reinterpret_cast<sockaddr const*>(&*address), sizeof *address) != 0)
            throw std::runtime_error("cannot listen at " + path);
    }
    DatagramTransport(DatagramTransport const&) = delete;
    ~DatagramTransport() { ::close(socket_); }

    int socket() const { return socket_; }

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        peers_[server] = Peer{{server, incarnation}, std::string{address}};
    }

    /// Takes only what is `Released`: a promise that is not durable yet does not even fit in here.
    void send(Released const& message, Entries const& entries)
    {
        auto const& peer = peers_[message.to()];
        auto const  route = Route{cluster_, 0, self_, {message.to(), peer.member.incarnation}};
        auto const  head = encode(route, message.rpc(), entries, limits.frame_bytes_max);
        auto const  to = address_of(peer.address); // None is good if somebody mistyped it: nothing here throws.
        if (not head or not to)
            return;
        auto const        frame = join_frame(*head, entries);
        auto const* const raw = reinterpret_cast<sockaddr const*>(&*to);
        if (::sendto(socket_, frame.data(), frame.size(), MSG_DONTWAIT, raw, sizeof *to) < 0)
            events_.push_back(LinkChanged{message.to(), Link::unreachable});
    }

    std::optional<TransportEvent> receive()
    {
        if (not events_.empty()) {
            auto event = std::move(events_.front());
            events_.pop_front();
            return event;
        }
        for (auto size = ssize_t{}; (size = ::recv(socket_, room_.data(), room_.size(), MSG_DONTWAIT)) >= 0;) {
            auto const  block = std::make_shared<std::vector<std::byte>>(room_.data(), room_.data() + size);
            auto        frame = decode(*block, block, limits.frame_bytes_max);
            auto* const rpc = frame ? std::get_if<Rpc>(&frame->content) : nullptr;
            if (rpc == nullptr or refuse_route(frame->route, cluster_, self_))
                continue;
            auto const& sender = frame->route.sender; // What another life of a server answers does not count.
            if (not is_response(*rpc) or sender.incarnation == peers_[sender.id].member.incarnation)
                return Received{sender.id, *rpc, std::move(frame->entries)};
        }
        return std::nullopt;
    }

private:
    static std::optional<sockaddr_un> address_of(std::string const& path)
    {
        auto address = sockaddr_un{.sun_family = AF_UNIX, .sun_path = {}};
        if (path.empty() or path.size() >= sizeof address.sun_path)
            return std::nullopt;
        std::copy(path.begin(), path.end(), address.sun_path);
        return address;
    }

    ClusterId                                     cluster_;
    Party                                         self_;
    int                                           socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    std::map<ServerId, Peer>                      peers_;
    std::deque<TransportEvent>                    events_;
    std::array<std::byte, limits.frame_bytes_max> room_;
};

static_assert(state_machine<Words> and durable_log<SqliteLog> and message_transport<DatagramTransport>);

// --- 4. Do they keep the laws? -----------------------------------------------------------------------------------

/// A database in which a log is kept while processes come and go, as `conformance::check_log` asks for it.
class Database
{
public:
    using Log = SqliteLog;

    explicit Database(std::string path) : path_(std::move(path))
    {
        std::filesystem::remove(path_);
        SqliteLog{path_}.create(conformance::sample_identity());
    }
    Result<SqliteLog*, LogError> open()
    {
        log_ = std::make_unique<SqliteLog>(path_);
        return log_.get();
    }
    void stop()
    {
        log_.reset();
    } // What was not committed is gone. A power cut needs more than this: see SQLite's own tests.

private:
    std::string                path_;
    std::unique_ptr<SqliteLog> log_;
};

/// Three servers that have sockets in one directory, as `conformance::check_transport` asks for them.
class Sockets
{
public:
    explicit Sockets(std::string directory) : directory_(std::move(directory))
    {
        for (auto const id : {1U, 2U, 3U})
            ends_.push_back(std::make_unique<DatagramTransport>(
                cluster_of("laws"), Party{ServerId{id}, first_incarnation}, address_of(ServerId{id})));
    }
    DatagramTransport& at(ServerId server) { return *ends_.at(server.value - 1); }
    Incarnation        incarnation_of(ServerId) const { return first_incarnation; }
    std::string        address_of(ServerId server) const { return directory_ + "/laws" + std::to_string(server.value); }
    void               settle() {} // A datagram is there as soon as it was sent.
    DatagramTransport& of_another_cluster() { return other_; }

private:
    std::string       directory_;
    DatagramTransport other_{cluster_of("others"), {ServerId{2}, first_incarnation}, directory_ + "/others"};
    std::vector<std::unique_ptr<DatagramTransport>> ends_;
};

/// Runs the laws on all three, and throws what they find. In your project this is a test.
void expect_lawful(std::string const& directory)
{
    auto commands = std::vector<conformance::Command>{};
    for (auto const word : {"reed", "rush", "", "reed", "sedge"})
        commands.push_back(conformance::payload_of(word));

    auto violations = conformance::to_string(conformance::check_state_machine([] { return Words{}; }, commands));
    violations += conformance::to_string(conformance::check_log([&] { return Database{directory + "/laws.db"}; }, 3));
    violations += conformance::to_string(conformance::check_transport([&] { return Sockets{directory}; }));
    if (not violations.empty())
        throw std::runtime_error("a law is broken\n" + violations);
    std::printf("state machine, log and transport keep their laws\n");
}

// --- 5. A cluster --------------------------------------------------------------------------------------------------

constexpr auto cluster = cluster_of("custom policies");

struct Server
{
    Server(std::string const& directory, ServerId id)
        : log(directory + "/" + std::to_string(id.value) + ".db"),
          transport(cluster, {id, first_incarnation}, directory + "/" + std::to_string(id.value))
    {}
    void start()
    {
        if (auto const started = node.start(); not started)
            throw std::runtime_error(started.error().what);
    }

    static constexpr auto most = DatagramTransport::entry_bytes_max();
    static constexpr auto settings = NodeSettings{.core = {}, .entry_bytes_max = most, .append_bytes_max = most};

    Words                                                      machine;
    SqliteLog                                                  log;
    DatagramTransport                                          transport;
    SteadyClock                                                clock;
    RaftNode<Words, SqliteLog, DatagramTransport, SteadyClock> node{machine, log, transport, clock, settings};
};

using Servers = std::vector<std::unique_ptr<Server>>;

/// Runs all servers until something is true, or for half a minute.
template <typename Condition>
void run_until(Servers& servers, char const* wanted, Condition is_true)
{
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (not is_true()) {
        auto sockets = std::vector<pollfd>{};
        for (auto& server : servers)
            if (server) {
                while (server->node.turn()) {}
                sockets.push_back({server->transport.socket(), POLLIN, 0});
            }
        ::poll(sockets.data(), sockets.size(), 1);
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error(std::string{"there is still not "} + wanted);
    }
}

std::unique_ptr<Server>& leader_of(Servers& servers)
{
    auto const leads = [](auto const& server) { return server and server->node.status().role == RoleName::leader; };
    run_until(servers, "a leader", [&] { return std::any_of(servers.begin(), servers.end(), leads); });
    return *std::find_if(servers.begin(), servers.end(), leads);
}

/// Proposes a word to the leader, until it is applied there.
void add(Servers& servers, std::string const& word)
{
    for (auto applied = false, ended = false; not applied; ended = false) {
        leader_of(servers)->node.propose(std::as_bytes(std::span{word}), [&](auto const& outcome) {
            ended = true;
            if (auto const* here = std::get_if<AppliedWith<std::size_t>>(&outcome))
                applied = std::printf("%s is one of %zu words\n", word.c_str(), here->response) > 0;
        });
        run_until(servers, "an end of a proposal", [&] { return ended; });
    }
}

int main()
try {
    auto directory = (std::filesystem::temp_directory_path() / "totora-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr)
        throw std::runtime_error("cannot make " + directory);
    expect_lawful(directory);
    auto peers = std::vector<Peer>{};
    for (auto id : {1U, 2U, 3U})
        peers.push_back({{ServerId{id}, first_incarnation}, directory + "/" + std::to_string(id)});

    auto servers = Servers{};
    for (auto const& peer : peers) {
        servers.push_back(std::make_unique<Server>(directory, peer.member.id));
        servers.back()->log.create({cluster, peer.member.id, first_incarnation, peers});
        servers.back()->start();
    }
    add(servers, "reed");
    add(servers, "rush");

    auto&      stopped = leader_of(servers);
    auto const id = stopped->node.status().id;
    stopped.reset(); // It fails, and what it knew is lost, but for its database.
    std::printf("server %llu is gone\n", static_cast<unsigned long long>(id.value));
    add(servers, "sedge");

    stopped = std::make_unique<Server>(directory, id);
    stopped->start();
    auto const all = std::set<std::string>{"reed", "rush", "sedge"};
    run_until(servers, "agreement", [&] {
        return std::all_of(servers.begin(), servers.end(), [&](auto& server) { return server->machine.words == all; });
    });
    std::printf("server %llu is back, and all servers hold all words\n", static_cast<unsigned long long>(id.value));
    servers.clear();
    std::filesystem::remove_all(directory);
    return 0;
} catch (std::exception const& wrong) {
    std::fprintf(stderr, "custom_policies: %s\n", wrong.what());
    return 1;
}
