// SPDX-License-Identifier: MIT
#include "bench/isolated/arrow_peers.h"

#include <arrow/api.h>
#include <arrow/flight/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "bench/isolated/child.h"

namespace alloy::bench {
namespace {

namespace flight = ::arrow::flight;
using ::arrow::RecordBatch;
using RecordBatchPtr = std::shared_ptr<RecordBatch>;

void Expect(const ::arrow::Status& status) {
  if (!status.ok()) Die(status.ToString());
}
template <typename T>
T Expect(::arrow::Result<T> result) {
  Expect(result.status());
  return *std::move(result);
}

RecordBatchPtr BatchOf(const Data& data) {
  ::arrow::FieldVector fields;
  ::arrow::ArrayVector arrays;
  for (int64_t* const values : data.columns()) {
    fields.push_back(
        ::arrow::field("column" + std::to_string(fields.size()), ::arrow::int64()));
    auto buffer = std::make_shared<::arrow::Buffer>(
        reinterpret_cast<const uint8_t*>(values), data.size().rows * int64_t{8});
    arrays.push_back(
        std::make_shared<::arrow::Int64Array>(data.size().rows, std::move(buffer)));
  }
  return RecordBatch::Make(::arrow::schema(fields), data.size().rows, std::move(arrays));
}

void CheckBatch(const RecordBatchPtr& result, const Data& data) {
  if (result == nullptr || !result->Equals(*BatchOf(data))) {
    Die("a peer returned another batch");
  }
}

// ---- Flight

// Returns each batch. Its messages have no limit, as people set it for large batches.
class Echo final : public flight::FlightServerBase {
 public:
  ::arrow::Status DoExchange(const flight::ServerCallContext&,
                             std::unique_ptr<flight::FlightMessageReader> in,
                             std::unique_ptr<flight::FlightMessageWriter> out) override {
    ARROW_ASSIGN_OR_RAISE(const auto schema, in->GetSchema());
    ARROW_RETURN_NOT_OK(out->Begin(schema));
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(auto chunk, in->Next());
      if (chunk.data == nullptr) return ::arrow::Status::OK();
      ARROW_RETURN_NOT_OK(out->WriteRecordBatch(*chunk.data));
    }
  }
};

void ServeFlight(const std::string& where) {
  Echo server;
  const flight::FlightServerOptions options(Expect(flight::Location::Parse(where)));
  Expect(server.Init(options));
  std::printf("%d\n", server.port());
  std::fflush(stdout);
  Expect(server.Serve());
}

class FlightPeer final : public ArrowPeer {
 public:
  explicit FlightPeer(bool unix_socket) {
    const std::string path =
        "grpc+unix:///tmp/alloy_bench_" + std::to_string(::getpid()) + ".sock";
    child_.Start({"--serve-flight", unix_socket ? path : "grpc://127.0.0.1:0"});
    const std::string port = child_.ReadLine();
    const auto where =
        Expect(unix_socket ? flight::Location::Parse(path)
                           : flight::Location::ForGrpcTcp("127.0.0.1", std::stoi(port)));
    client_ = Expect(flight::FlightClient::Connect(where));
  }
  ~FlightPeer() override { End(); }

  void Begin(const Data& data) override {
    End();
    batch_ = BatchOf(data);
    auto exchange =
        Expect(client_->DoExchange(flight::FlightDescriptor::Command("echo")));
    writer_ = std::move(exchange.writer);
    reader_ = std::move(exchange.reader);
    Expect(writer_->Begin(batch_->schema()));
  }
  void RoundTrip() override {
    Expect(writer_->WriteRecordBatch(*batch_));
    result_ = Expect(reader_->Next()).data;
  }
  void Check(const Data& data) override { CheckBatch(result_, data); }

 private:
  void End() {
    if (writer_ == nullptr) return;
    Expect(writer_->DoneWriting());
    (void)reader_->Next();
    Expect(writer_->Close());
    result_.reset();
    writer_.reset();
    reader_.reset();
  }

  BenchChild child_;
  std::unique_ptr<flight::FlightClient> client_;
  std::unique_ptr<flight::FlightStreamWriter> writer_;
  std::unique_ptr<flight::FlightStreamReader> reader_;
  RecordBatchPtr batch_, result_;
};

// ---- Pipes

// A pipe has no size and no positions, which the files of Arrow want.
class PipeOut final : public ::arrow::io::OutputStream {
 public:
  explicit PipeOut(int fd) : fd_(fd) {}
  ::arrow::Status Close() override { return ::arrow::Status::OK(); }
  bool closed() const override { return false; }
  ::arrow::Result<int64_t> Tell() const override { return at_; }
  ::arrow::Status Write(const void* bytes, int64_t size) override {
    for (int64_t done = 0; done < size;) {
      const ssize_t n = ::write(fd_, static_cast<const char*>(bytes) + done,
                                static_cast<size_t>(size - done));
      if (n < 0) return ::arrow::Status::IOError("write");
      done += n;
    }
    at_ += size;
    return ::arrow::Status::OK();
  }

 private:
  const int fd_;
  int64_t at_ = 0;
};

class PipeIn final : public ::arrow::io::InputStream {
 public:
  explicit PipeIn(int fd) : fd_(fd) {}
  ::arrow::Status Close() override { return ::arrow::Status::OK(); }
  bool closed() const override { return false; }
  ::arrow::Result<int64_t> Tell() const override { return at_; }
  ::arrow::Result<int64_t> Read(int64_t wanted, void* out) override {
    int64_t got = 0;
    while (got < wanted) {
      const ssize_t n =
          ::read(fd_, static_cast<char*>(out) + got, static_cast<size_t>(wanted - got));
      if (n < 0) return ::arrow::Status::IOError("read");
      if (n == 0) break;
      got += n;
    }
    at_ += got;
    return got;
  }
  ::arrow::Result<std::shared_ptr<::arrow::Buffer>> Read(int64_t wanted) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ::arrow::AllocateResizableBuffer(wanted));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, Read(wanted, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got));
    return std::shared_ptr<::arrow::Buffer>(std::move(buffer));
  }

 private:
  const int fd_;
  int64_t at_ = 0;
};

// Batches through a pair of pipes: all of a batch is written before its answer is read.
class PipeEnds {
 public:
  PipeEnds(int in, int out) : in_(std::make_shared<PipeIn>(in)) {
    constexpr int64_t kBuffer = 1 << 16;
    out_ = Expect(::arrow::io::BufferedOutputStream::Create(
        kBuffer, ::arrow::default_memory_pool(), std::make_shared<PipeOut>(out)));
  }
  void Write(const RecordBatchPtr& batch) {
    if (writer_ == nullptr || !batch->schema()->Equals(*schema_)) {
      if (writer_ != nullptr) Expect(writer_->Close());
      schema_ = batch->schema();
      writer_ = Expect(::arrow::ipc::MakeStreamWriter(out_, schema_));
    }
    Expect(writer_->WriteRecordBatch(*batch));
    Expect(out_->Flush());
  }
  // NULL: the other side ended its stream.
  RecordBatchPtr Read() {
    if (reader_ == nullptr) {
      reader_ = Expect(::arrow::ipc::RecordBatchStreamReader::Open(in_));
    }
    RecordBatchPtr batch;
    Expect(reader_->ReadNext(&batch));
    if (batch == nullptr) reader_.reset();
    return batch;
  }

 private:
  std::shared_ptr<PipeIn> in_;
  std::shared_ptr<::arrow::io::OutputStream> out_;
  std::shared_ptr<::arrow::Schema> schema_;
  std::shared_ptr<::arrow::ipc::RecordBatchWriter> writer_;
  std::shared_ptr<::arrow::ipc::RecordBatchStreamReader> reader_;
};

void ServePipe() {
  PipeEnds ends(STDIN_FILENO, STDOUT_FILENO);
  // Until the pipe is closed, which kills this process, or its read fails.
  for (;;) {
    if (const RecordBatchPtr batch = ends.Read(); batch != nullptr) ends.Write(batch);
  }
}

class PipePeer final : public ArrowPeer {
 public:
  PipePeer() {
    child_.Start({"--serve-pipe"});
    ends_ = std::make_unique<PipeEnds>(child_.in(), child_.out());
  }
  void Begin(const Data& data) override { batch_ = BatchOf(data); }
  void RoundTrip() override {
    ends_->Write(batch_);
    result_ = ends_->Read();
    // The first batch of a new type: the other side ends its stream first.
    if (result_ == nullptr) result_ = ends_->Read();
  }
  void Check(const Data& data) override { CheckBatch(result_, data); }

 private:
  BenchChild child_;
  std::unique_ptr<PipeEnds> ends_;
  RecordBatchPtr batch_, result_;
};

}  // namespace

std::unique_ptr<ArrowPeer> MakeFlightPeer(bool unix_socket) {
  return std::make_unique<FlightPeer>(unix_socket);
}

std::unique_ptr<ArrowPeer> MakePipePeer() { return std::make_unique<PipePeer>(); }

bool ServeArrowPeer(int argc, char** argv) {
  if (argc < 2) return false;
  const std::string_view role(argv[1]);
  if (role.starts_with("--serve")) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (role == "--serve-flight" && argc == 3) {
    ServeFlight(argv[2]);
  } else if (role == "--serve-pipe") {
    ServePipe();
  } else {
    return false;
  }
  return true;
}

}  // namespace alloy::bench
