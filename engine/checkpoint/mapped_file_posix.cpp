// SPDX-License-Identifier: GPL-3.0-or-later
#if !defined(_WIN32)

#include "engine/checkpoint/mapped_file.h"
#include "engine/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace bathyscope {

namespace {

[[noreturn]] void throwSystemError(const std::filesystem::path &path, const char *what)
{
    throw Error(fmt::format("{}: {}: {}", toUtf8(path), what, std::generic_category().message(errno)));
}

/// Closes the descriptor when it goes out of scope; a mapping outlives it.
struct Descriptor {
    int fd;
    explicit Descriptor(int value)
        : fd(value)
    {
    }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    ~Descriptor()
    {
        if (fd >= 0)
            ::close(fd);
    }
};

} // namespace

MappedFile::MappedFile(const std::filesystem::path &path)
    : m_path(path)
{
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd < 0)
        throwSystemError(path, "cannot be opened");
    struct stat status = {};
    if (::fstat(file.fd, &status) != 0)
        throwSystemError(path, "cannot be examined");
    if (!S_ISREG(status.st_mode))
        throw Error(fmt::format("{}: expected a regular file", toUtf8(path)));
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0)
        return;
    void *address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (address == MAP_FAILED)
        throwSystemError(path, "cannot be mapped into memory");
    m_bytes = {static_cast<const std::byte *>(address), size};
    m_guard.emplace(address, size);
}

void MappedFile::expectWhole() const
{
    if (m_guard && m_guard->isBroken())
        throw Error(
            fmt::format("{}: expected {} bytes, found fewer: the file was changed while it was in use. Load "
                        "the model again.",
                        toUtf8(m_path), m_bytes.size()));
}

MappedFile::~MappedFile()
{
    m_guard.reset();
    if (!m_bytes.empty())
        ::munmap(const_cast<std::byte *>(m_bytes.data()), m_bytes.size());
}

} // namespace bathyscope

#endif
