// A network client of the Arduino core, over a socket: connect and write wait, as WiFiClient does.
#pragma once
#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

class Client {
 public:
  int connect(const char* host, uint16_t port) {
    stop();
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host, &address.sin_addr);
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    bool isOpen = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    if (!isOpen) stop();
    return isOpen;
  }
  int connect(uint32_t, uint16_t) { return 0; }
  size_t write(const uint8_t* bytes, size_t size) {
    ssize_t count = send(socket_, bytes, size, MSG_NOSIGNAL);
    return count < 0 ? 0 : static_cast<size_t>(count);
  }
  int available() {
    int count = 0;
    return socket_ >= 0 && ioctl(socket_, FIONREAD, &count) == 0 ? count : 0;
  }
  int read(uint8_t* bytes, size_t size) { return static_cast<int>(recv(socket_, bytes, size, MSG_DONTWAIT)); }
  uint8_t connected() {
    char byte;
    ssize_t count = socket_ < 0 ? 0 : recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count > 0 || (count < 0 && errno == EAGAIN);
  }
  void stop() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }

 private:
  int socket_ = -1;
};
