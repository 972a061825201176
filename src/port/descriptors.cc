// SPDX-License-Identifier: MIT
#include "port/descriptors.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace alloy::core {
namespace {

// A message needs a byte besides the descriptor.
struct DescriptorMessage {
  char byte = 0;
  iovec io{&byte, 1};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  DescriptorMessage() {
    header.msg_iov = &io;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
};

}  // namespace

int MakeSocketPair(Fd* one, Fd* other) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  *one = AboveStandard(ends[0]);
  const int error = errno;
  *other = AboveStandard(ends[1]);
  if (!*one) return error;
  return *other ? 0 : errno;
}

int MakerOf(const Fd& socket) {
  struct ucred maker{};
  socklen_t size = sizeof(maker);
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &maker, &size) == 0
             ? maker.pid
             : 0;
}

int SendDescriptor(const Fd& socket, const Fd& file) {
  DescriptorMessage message;
  cmsghdr* const part = CMSG_FIRSTHDR(&message.header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = file.get();
  std::memcpy(CMSG_DATA(part), &number, sizeof(int));
  for (;;) {
    if (::sendmsg(socket.get(), &message.header, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) {
      return 0;
    }
    if (errno != EINTR) return errno;
  }
}

int ReceiveDescriptor(const Fd& socket, Fd* out) {
  DescriptorMessage message;
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket.get(), &message.header, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return errno;
  cmsghdr* const part = CMSG_FIRSTHDR(&message.header);
  if (received != 1 || part == nullptr || part->cmsg_type != SCM_RIGHTS ||
      part->cmsg_len != CMSG_LEN(sizeof(int))) {
    return ECONNRESET;
  }
  int number = -1;
  std::memcpy(&number, CMSG_DATA(part), sizeof(int));
  *out = Fd(number);
  return 0;
}

}  // namespace alloy::core
