// SPDX-License-Identifier: MIT
#include "trust/der.h"

#include <gtest/gtest.h>

#include <cctype>
#include <functional>
#include <map>

#include "trust/chain.h"
#include "trust/crypto_test_support.h"
#include "trust/verify.h"

namespace alloy::core {
namespace {

// A certificate as a tree, so that a test can encode one part of it differently.
struct Node {
  uint8_t tag = 0;
  std::string content;  // of a primitive one
  std::vector<Node> parts;
  // How this node is encoded; by default in DER.
  std::function<std::string(const Node&)> encode;

  bool is_constructed() const { return (tag & 0x20U) != 0; }
  std::string Content() const;
  std::string Text() const;
};

std::string LengthOf(size_t length) {
  if (length < 0x80) return {static_cast<char>(length)};
  std::string octets;
  for (; length != 0; length >>= 8U)
    octets.insert(0, 1, static_cast<char>(length & 0xffU));
  return static_cast<char>(0x80U | octets.size()) + octets;
}

std::string Tagged(uint8_t tag, const std::string& content) {
  return static_cast<char>(tag) + LengthOf(content.size()) + content;
}

std::string Node::Content() const {
  if (!is_constructed()) return content;
  std::string text;
  for (const Node& part : parts) text += part.Text();
  return text;
}
std::string Node::Text() const { return encode ? encode(*this) : Tagged(tag, Content()); }

Node Parse(std::string_view* bytes) {
  Node node;
  node.tag = static_cast<uint8_t>((*bytes)[0]);
  size_t length = static_cast<uint8_t>((*bytes)[1]), at = 2;
  if (length >= 0x80) {
    size_t octets = length & 0x7fU;
    for (length = 0; octets > 0; --octets) {
      length = length << 8U | static_cast<uint8_t>((*bytes)[at++]);
    }
  }
  std::string_view content = bytes->substr(at, length);
  bytes->remove_prefix(at + length);
  if (node.is_constructed()) {
    while (!content.empty()) node.parts.push_back(Parse(&content));
  } else {
    node.content = content;
  }
  return node;
}

void ForEach(Node& node, const std::function<void(Node&)>& visit) {
  visit(node);
  for (Node& part : node.parts) ForEach(part, visit);
}

const signing::Signer& SignerOf(const std::string& kind) {
  static std::map<std::string, signing::Signer> signers;
  return signers.try_emplace(kind, kind).first->second;
}

class DerTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::string der_ = SignerOf(GetParam()).cert.Der();
  Node tree_ = [this] {
    std::string_view rest = der_;
    return Parse(&rest);
  }();
  std::shared_ptr<const Crypto> crypto_ = TestCrypto();

  // Refused as an argument, pinned or not, and in a sidecar.
  void ExpectRefused(const std::string& changed, const std::string& what) const {
    ASSERT_NE(changed, der_) << what;
    const auto bytes = AsBytes(changed);
    EXPECT_FALSE(Certificate::FromDer(*crypto_, bytes).ok()) << what;
    const auto argument = ParseCertificateArgument(*crypto_, signing::Base64Of(changed));
    EXPECT_FALSE(argument.ok()) << what;
    EXPECT_TRUE(argument.ok() ||
                argument.status().reason() == ALLOY_REASON_CERTIFICATE_DER ||
                argument.status().reason() == ALLOY_REASON_WEAK_KEY)
        << what;
  }
  // Each node for which `change` gives another encoding.
  void ExpectEachRefused(const char* what,
                         const std::function<std::string(const Node&)>& change) {
    int tried = 0;
    std::vector<Node*> nodes;
    ForEach(tree_, [&](Node& node) { nodes.push_back(&node); });
    for (Node* node : nodes) {
      if (change(*node).empty()) continue;
      ++tried;
      node->encode = change;
      ExpectRefused(tree_.Text(), what);
      node->encode = nullptr;
    }
    EXPECT_GT(tried, 0) << what;
  }
  // The contents of the extension with this identifier, as a node.
  Node* Extension(std::string_view id) {
    Node* found = nullptr;
    ForEach(tree_, [&](Node& node) {
      if (node.tag == 0x30 && !node.parts.empty() && node.parts[0].content == id) {
        found = &node;
      }
    });
    return found;
  }
};

TEST_P(DerTest, ACertificateInDerIsRead) {
  EXPECT_EQ(tree_.Text(), der_);
  EXPECT_EQ(CheckDer(AsBytes(der_)), "");
  const DerVerdict verdict = CheckCertificateDer(AsBytes(der_));
  EXPECT_EQ(verdict.fault, DerFault::kNone) << verdict.text;
  EXPECT_TRUE(Certificate::FromDer(*crypto_, AsBytes(der_)).ok());
}

TEST_P(DerTest, LengthsHaveOneEncoding) {
  ExpectEachRefused("a length with a leading zero", [](const Node& node) {
    const std::string content = node.Content(), length = LengthOf(content.size());
    std::string octets = length.size() == 1 ? length : length.substr(1);
    octets.insert(0, length.size() == 1 ? "" : std::string(1, '\0'));
    return static_cast<char>(node.tag) +
           std::string(1, static_cast<char>(0x80U | octets.size())) + octets + content;
  });
  ExpectEachRefused("an indefinite length", [](const Node& node) {
    return node.is_constructed() ? static_cast<char>(node.tag) + std::string("\x80") +
                                       node.Content() + std::string(2, '\0')
                                 : "";
  });
}

TEST_P(DerTest, ValuesHaveOneEncoding) {
  ExpectEachRefused("a BOOLEAN of another value", [](const Node& node) {
    return node.tag == 1 ? std::string("\x01\x01\x01") : "";
  });
  ExpectEachRefused("an INTEGER with a leading zero", [](const Node& node) {
    return node.tag == 2 ? Tagged(2, ((node.content[0] & 0x80) != 0 ? "\xff" : "") +
                                         std::string(1, '\0') + node.content)
                         : "";
  });
  ExpectEachRefused(
      "a BIT STRING with more unused bits than it has", [](const Node& node) {
        return node.tag == 3 ? Tagged(3, "\x09" + node.content.substr(1)) : "";
      });
  ExpectEachRefused("an OID with a leading zero", [](const Node& node) {
    return node.tag == 6
               ? Tagged(6, node.content.substr(0, 1) + "\x80" + node.content.substr(1))
               : "";
  });
  ExpectEachRefused("an OCTET STRING in pieces", [](const Node& node) {
    return node.tag == 4 ? Tagged(0x24, Tagged(4, node.content)) : "";
  });
  ExpectEachRefused("a BIT STRING in pieces", [](const Node& node) {
    return node.tag == 3 ? Tagged(0x23, Tagged(3, node.content)) : "";
  });
  ExpectEachRefused("a string in pieces", [](const Node& node) {
    return node.tag == 12 || node.tag == 19
               ? Tagged(node.tag | 0x20U, Tagged(node.tag, node.content))
               : "";
  });
  ExpectEachRefused("a time without seconds", [](const Node& node) {
    return node.tag == 23 ? Tagged(23, node.content.substr(0, 10) + "Z") : "";
  });
  ExpectEachRefused("a time with a zone", [](const Node& node) {
    return node.tag == 23 ? Tagged(23, node.content.substr(0, 12) + "+0000") : "";
  });
  ExpectEachRefused("bytes behind the parts", [](const Node& node) {
    return node.is_constructed() ? Tagged(node.tag, node.Content() + '\0') : "";
  });
}

TEST_P(DerTest, DefaultsAreLeftOut) {
  const std::string not_critical("\x01\x01\x00", 3);
  Node* usage = Extension("\x55\x1d\x25");  // extendedKeyUsage, not critical
  ASSERT_NE(usage, nullptr);
  usage->encode = [&](const Node& node) {
    return Tagged(0x30, node.parts[0].Text() + not_critical + node.parts.back().Text());
  };
  ExpectRefused(tree_.Text(), "a critical that is FALSE");
  usage->encode = [](const Node& node) {
    return Tagged(0x30, node.Content()) + Tagged(0x30, node.Content());
  };
  ExpectRefused(tree_.Text(), "an extension that is there twice");
  usage->encode = nullptr;

  Node* constraints = Extension("\x55\x1d\x13");
  ASSERT_NE(constraints, nullptr);
  constraints->parts.back().content = std::string("\x30\x03\x01\x01\x00", 5);
  ExpectRefused(tree_.Text(), "a CA that is FALSE");
  constraints->parts.back().content = std::string("\x30\x00", 2);
  Node* bits = Extension("\x55\x1d\x0f");
  ASSERT_NE(bits, nullptr);
  bits->parts.back().content = std::string("\x03\x02\x00\x80", 4);
  ExpectRefused(tree_.Text(), "a list of bits with zeros at its end");
  bits->parts.back().content = std::string("\x03\x02\x07\x81", 4);
  ExpectRefused(tree_.Text(), "unused bits that are set");
  bits->parts.back().content = std::string("\x03\x02\x07\x80\x00", 5);
  ExpectRefused(tree_.Text(), "bytes behind the value of an extension");
}

TEST_P(DerTest, EveryShortenedCertificateIsRefused) {
  for (size_t size = 0; size < der_.size(); ++size) {
    ExpectRefused(der_.substr(0, size), "cut");
  }
}

std::string NameOf(const ::testing::TestParamInfo<const char*>& key) {
  std::string name = key.param;
  std::erase_if(name, [](unsigned char c) { return std::isalnum(c) == 0; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(EachKey, DerTest,
                         ::testing::Values("ed25519", "P-256", "rsa:3072"), NameOf);

TEST(DerDepthTest, NestingHasALimit) {
  std::string nested;
  for (int i = 0; i < 5000; ++i) nested = Tagged(0x30, nested);
  EXPECT_NE(CheckDer(AsBytes(nested)), "");
}

TEST(DerSetTest, TheElementsOfASetAreSorted) {
  EXPECT_EQ(CheckDer(AsBytes("\x31\x06\x02\x01\x01\x02\x01\x02")), "");
  EXPECT_NE(CheckDer(AsBytes("\x31\x06\x02\x01\x02\x02\x01\x01")), "");
}

// Pinned, libcrypto would not look at the curve.
TEST(DerCurveTest, ACurveHasItsName) {
  const signing::Key key("P-256");
  EVP_PKEY_set_utf8_string_param(key.get(), "encoding", "explicit");
  const std::string der = signing::Cert({}, key).Der();
  const auto crypto = TestCrypto();
  ExpectRefused(ParseCertificateArgument(*crypto, signing::Base64Of(der)).status(),
                ALLOY_REASON_WEAK_KEY, "curve");
  const signing::Key compressed("P-256");
  EVP_PKEY_set_utf8_string_param(compressed.get(), "point-format", "compressed");
  ExpectRefused(ParseCertificateArgument(
                    *crypto, signing::Base64Of(signing::Cert({}, compressed).Der()))
                    .status(),
                ALLOY_REASON_WEAK_KEY, "uncompressed");
}

// A signer without basicConstraints, pinned and by an authority.
TEST(DerSignerTest, ASignerSaysThatItIsNoAuthority) {
  const auto crypto = TestCrypto();
  signing::CertificateSpec spec;
  spec.constraints = "";
  const signing::Signer pinned("ed25519", spec);
  const std::string message = signing::StatementFor("").Text();
  const auto anchor = ParseCertificateArgument(*crypto, pinned.cert.Base64());
  ASSERT_TRUE(anchor.ok());
  ExpectRefused(
      VerifySidecar(*crypto, *anchor, pinned.Sidecar(message), signing::kNow).status(),
      ALLOY_REASON_CERTIFICATE_USAGE, "basicConstraints");
  const signing::Key authority_key("P-256"), key("ed25519");
  const signing::Cert authority(signing::AuthoritySpec(), authority_key);
  const signing::Cert leaf(spec, key, &authority, &authority_key);
  const auto root = ParseCertificateArgument(*crypto, authority.Base64());
  ASSERT_TRUE(root.ok());
  ExpectRefused(
      VerifySidecar(*crypto, *root,
                    signing::SidecarOf(message, key.Sign(message), {leaf}), signing::kNow)
          .status(),
      ALLOY_REASON_CERTIFICATE_USAGE, "basicConstraints");
}

}  // namespace
}  // namespace alloy::core
