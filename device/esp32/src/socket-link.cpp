#include "socket-link.h"

#if defined(ESP_PLATFORM) || defined(__unix__)

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

namespace qskit {

/** The address of a name is looked up first, which may take a second; that of an address in digits takes no time. */
bool SocketLink::open(const char* host, uint16_t port) {
  close();
  addrinfo hints;
  memset(&hints, 0, sizeof(hints));
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host, nullptr, &hints, &found) != 0 || found == nullptr) return false;
  sockaddr_in address;
  memcpy(&address, found->ai_addr, sizeof(address));
  freeaddrinfo(found);
  address.sin_port = htons(port);
  socket_ = socket(AF_INET, SOCK_STREAM, 0);
  if (socket_ < 0) return false;
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL, 0) | O_NONBLOCK);
  int isOn = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &isOn, sizeof(isOn));
  isOpen_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (isOpen_ || errno == EINPROGRESS) return true;
  close();
  return false;
}

Link::State SocketLink::state() {
  if (socket_ < 0) return State::Closed;
  if (isOpen_) return State::Open;
  fd_set writable;
  FD_ZERO(&writable);
  FD_SET(socket_, &writable);
  timeval now = {0, 0};
  if (select(socket_ + 1, nullptr, &writable, nullptr, &now) <= 0) return State::Opening;
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    close();
    return State::Closed;
  }
  isOpen_ = true;
  return State::Open;
}

uint32_t SocketLink::write(const void* bytes, uint32_t length) {
  ssize_t count = send(socket_, bytes, length, MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) close();
  return count > 0 ? static_cast<uint32_t>(count) : 0;
}

uint32_t SocketLink::read(void* bytes, uint32_t capacity) {
  ssize_t count = recv(socket_, bytes, capacity, 0);
  bool isBroken = count < 0 && errno != EAGAIN && errno != EWOULDBLOCK;
  if (count == 0 || isBroken) close();
  return count > 0 ? static_cast<uint32_t>(count) : 0;
}

void SocketLink::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  isOpen_ = false;
}

}  // namespace qskit

#endif
