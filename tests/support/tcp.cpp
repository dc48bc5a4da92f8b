#include "support/tcp.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>

// Here, so that Asio is compiled once for all tests of the transport.
namespace totora::test
{

void run_a_little(boost::asio::io_context& context)
{
    context.restart();
    context.run_one_for(std::chrono::milliseconds(1));
}

TcpServer::TcpServer(boost::asio::io_context& context, TcpSettings settings)
{
    settings.log = [logged = logged_](std::string_view line) { logged->emplace_back(line); };
    auto opened = TcpTransport::open(context, std::move(settings));
    if (opened)
        transport_.emplace(*std::move(opened));
    else
        logged_->push_back(opened.error().what);
}

TcpServer::~TcpServer() = default;

void TcpServer::send(Party to, Rpc const& rpc, Entries const& entries)
{
    auto const envelope = Envelope{to.id, rpc, Release::at_once()};
    transport_->send(*envelope.open(), entries);
}

void TcpServer::knows(Party peer, TcpServer& other)
{
    transport_->update(peer.id, peer.incarnation, other.transport().address());
}

std::size_t TcpServer::take()
{
    while (auto event = transport_->receive())
        if (auto* const message = std::get_if<Received>(&*event))
            messages.push_back(std::move(*message));
        else if (auto const* const can = std::get_if<Announced>(&*event))
            announced.push_back(*can);
        else
            links.push_back(std::get<LinkChanged>(*event));
    return messages.size();
}

void RawPeer::connect(std::string_view address, std::string_view here)
{
    if (not here.empty()) {
        socket_.open(boost::asio::ip::tcp::v4());
        socket_.bind(*parse_address(here));
    }
    socket_.connect(*parse_address(address));
    socket_.non_blocking(true);
}

void RawPeer::adopt(Socket socket)
{
    socket_ = std::move(socket);
    socket_.non_blocking(true);
}

void RawPeer::write(std::span<std::byte const> rest)
{
    while (not rest.empty()) {
        auto       error = boost::system::error_code{};
        auto const count = socket_.write_some(boost::asio::buffer(rest.data(), rest.size()), error);
        rest = rest.subspan(count);
        if (error and error != boost::asio::error::would_block)
            return;
        context_->restart();
        context_->poll();
    }
}

void RawPeer::read()
{
    auto block = std::vector<std::byte>(std::size_t{1} << 16U);
    auto error = boost::system::error_code{};
    while (not error) {
        auto const count = socket_.read_some(boost::asio::buffer(block.data(), block.size()), error);
        bytes.insert(bytes.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count));
    }
    if (error != boost::asio::error::would_block)
        ended = true;
}

std::size_t RawPeer::read_some(std::size_t most)
{
    auto       block = std::vector<std::byte>(most);
    auto       error = boost::system::error_code{};
    auto const count = most == 0 ? 0 : socket_.read_some(boost::asio::buffer(block), error);
    ended = ended or (error and error != boost::asio::error::would_block);
    return count;
}

std::optional<Frame> RawPeer::next_frame()
{
    read();
    while (true) {
        if (auto frame = reader_.next())
            return *frame ? std::optional<Frame>{std::move(**frame)} : std::nullopt;
        if (bytes.empty())
            return std::nullopt;
        auto const space = reader_.space();
        auto const count = std::min(space.size(), bytes.size());
        std::copy_n(bytes.begin(), count, space.begin());
        reader_.arrived(count);
        bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    }
}

std::optional<Frame> RawPeer::await_frame()
{
    auto frame = std::optional<Frame>{};
    static_cast<void>(until(*context_, [&] { return (frame = next_frame()).has_value() or ended; }));
    return frame;
}

bool RawPeer::handshake(Party from, Party to, Life life)
{
    auto hello = Hello{};
    hello.life = life;
    write(encode(route(from, to), hello));
    auto const        answer = await_frame();
    auto const* const reply = answer ? std::get_if<Hello>(&answer->content) : nullptr;
    if (reply == nullptr)
        return false;
    write(encode(route(from, to), Confirmation{reply->challenge}));
    return true;
}

bool RawPeer::is_hung_up()
{
    return until(*context_, [&] {
        read();
        return ended;
    });
}

} // namespace totora::test
