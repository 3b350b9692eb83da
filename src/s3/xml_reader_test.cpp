#include "s3/xml_reader.hpp"

#include <gtest/gtest.h>

namespace turbine::s3 {
namespace {

using namespace std::string_view_literals;

std::string parts_xml(std::string_view inner) {
  return fmt::format("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", inner);
}
std::string key_xml(std::string_view key) {
  return fmt::format("<Delete><Object><Key>{}</Key></Object></Delete>", key);
}
/// The one key of a <Delete>, or "refused".
std::string key_of(std::string_view xml) {
  const auto request = parse_delete(xml);
  if (!request.has_value()) {
    EXPECT_EQ(request.error().code, S3Code::malformed_xml);
    return "refused";
  }
  return request->items.at(0).key;
}

TEST(XmlReader, ReadsPartLists) {
  const auto parts = parse_complete_upload(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
      "  <Part><ETag>&quot;abc&quot;</ETag><PartNumber> 2 </PartNumber></Part>\n"
      "  <Part><PartNumber>1</PartNumber><ETag>def</ETag><ChecksumCRC32C>AAAAAA==</ChecksumCRC32C>"
      "</Part>\n</CompleteMultipartUpload>\n");
  ASSERT_TRUE(parts.has_value());
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ(parts->at(0).number, 2u);
  EXPECT_EQ(parts->at(0).etag, "abc");
  EXPECT_EQ(parts->at(1).number, 1u);
  EXPECT_EQ(parts->at(1).etag, "def");
  EXPECT_EQ(parts->at(1).checksums.at(0).first, "ChecksumCRC32C");
  EXPECT_EQ(parts->at(1).checksums.at(0).second, "AAAAAA==");
}

TEST(XmlReader, RefusesBadPartLists) {
  const std::string good = "<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>";
  EXPECT_TRUE(parse_complete_upload(parts_xml(good)).has_value());
  std::string many;
  for (int i = 0; i < 10'001; ++i) many += good;
  const std::string bad[] = {
      "",
      "not xml",
      parts_xml(""),
      parts_xml(good).substr(0, 60),
      "<Other>" + good + "</Other>",
      parts_xml("<Part><PartNumber>0</PartNumber><ETag>e</ETag></Part>"),
      parts_xml("<Part><PartNumber>10001</PartNumber><ETag>e</ETag></Part>"),
      parts_xml("<Part><PartNumber>-1</PartNumber><ETag>e</ETag></Part>"),
      parts_xml("<Part><PartNumber>x</PartNumber><ETag>e</ETag></Part>"),
      parts_xml("<Part><PartNumber>4294967297</PartNumber><ETag>e</ETag></Part>"),
      parts_xml("<Part><ETag>e</ETag></Part>"),
      parts_xml("<Part><PartNumber>1</PartNumber></Part>"),
      parts_xml("<Part><PartNumber>1</PartNumber><PartNumber>2</PartNumber><ETag>e</ETag></Part>"),
      parts_xml("<Part><PartNumber>1</PartNumber><ETag>e</ETag><ETag>f</ETag></Part>"),
      parts_xml("<Piece></Piece>"),
      parts_xml(many),
  };
  for (const std::string& xml : bad) {
    const auto parts = parse_complete_upload(xml);
    ASSERT_FALSE(parts.has_value()) << xml.substr(0, 200);
    EXPECT_EQ(parts.error().code, S3Code::malformed_xml);
  }
}

TEST(XmlReader, ReadsDeleteLists) {
  const auto request = parse_delete(
      "<Delete><Quiet>true</Quiet><Object><Key> a/b </Key></Object>"
      "<Object><Key>c</Key><VersionId>null</VersionId><ETag>\"e\"</ETag></Object>"
      "<Object><Key>d</Key><VersionId>v</VersionId></Object></Delete>");
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(request->quiet);
  ASSERT_EQ(request->items.size(), 3u);
  EXPECT_EQ(request->items[0].key, " a/b ");
  EXPECT_EQ(request->items[1].etag, "e");
  EXPECT_FALSE(request->items[1].versioned);
  EXPECT_TRUE(request->items[2].versioned);
}

TEST(XmlReader, KeysKeepEveryByte) {
  EXPECT_EQ(key_of(key_xml("&lt;&gt;&amp;&quot;&apos;")), "<>&\"'");
  EXPECT_EQ(key_of(key_xml("a&#x0D;&#10;&#x1;-")), "a\r\n\x01-");
  EXPECT_EQ(key_of(key_xml("&#252;\xc3\xbc&#x1F600;")), "\xc3\xbc\xc3\xbc\xf0\x9f\x98\x80");
  EXPECT_EQ(key_of(key_xml(" ")), " ");
  EXPECT_EQ(key_of(key_xml("\n\t")), "\n\t");
  EXPECT_EQ(key_of(key_xml("<![CDATA[<a>&amp;]]>b")), "<a>&amp;b");
  EXPECT_EQ(key_of(key_xml("a<!-- <b> -->c")), "ac");
  EXPECT_EQ(key_of(key_xml("../x//./")), "../x//./");
  EXPECT_EQ(key_of("<s3:Delete xmlns:s3=\"u\"><s3:Object><s3:Key>k</s3:Key></s3:Object>"
                   "</s3:Delete>"),
            "k");
}

// A key that ends early would delete another object.
TEST(XmlReader, RefusesReferencesThatEndTheText) {
  for (const std::string_view reference :
       {"&#0;", "&#00;", "&#x0;", "&#x00;", "&#x100000000;", "&#4294967296;", "&#x110000;",
        "&#1114112;", "&#xD800;", "&#xDFFF;", "&#55296;", "&#x;", "&#;", "&#xg;", "&#1", "&#x1"}) {
    EXPECT_EQ(key_of(key_xml(fmt::format("a{}b", reference))), "refused") << reference;
    EXPECT_EQ(
        key_of(fmt::format("<Delete><Object x=\"{}\"><Key>a</Key></Object></Delete>", reference)),
        "refused")
        << reference;
  }
  EXPECT_EQ(key_of(std::string("<Delete><Object><Key>a\0b</Key></Object></Delete>"sv)), "refused");
}

TEST(XmlReader, RefusesEntitiesAndDeclarations) {
  const std::string bad[] = {
      "<!DOCTYPE Delete>" + key_xml("a"),
      "<!DOCTYPE Delete [<!ENTITY x \"y\">]>" + key_xml("&x;"),
      "<!DOCTYPE Delete SYSTEM \"file:///etc/passwd\">" + key_xml("a"),
      "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]>" + key_xml("a"),
      "<?php x?>" + key_xml("a"),
      key_xml("a&b;c"),
      key_xml("a&b"),
      key_xml("a&"),
      key_xml("a& b;"),
      key_xml("<!ELEMENT a>"),
  };
  for (const std::string& xml : bad) EXPECT_EQ(key_of(xml), "refused") << xml;
}

TEST(XmlReader, BoundsDepthHoweverItIsHidden) {
  const auto nested = [](int depth, std::string_view before, std::string_view open) {
    std::string xml = "<Delete><Object><Key>k</Key>" + std::string(before);
    for (int i = 0; i < depth; ++i) xml += open;
    for (int i = 0; i < depth; ++i) xml += "</x>";
    return xml + "</Object></Delete>";
  };
  EXPECT_EQ(key_of(nested(14, "", "<x>")), "k");
  EXPECT_EQ(key_of(nested(15, "", "<x>")), "refused");
  EXPECT_EQ(key_of(nested(100'000, "", "<x>")), "refused");
  // Ends of elements inside comments and sections, ends of tags inside attributes.
  EXPECT_EQ(key_of(nested(50,
                          "<!-- </x></x></x></x></x></x></x></x></x></x></x></x></x></x></x>"
                          "</x></x></x></x></x></x></x></x></x></x></x></x></x></x></x></x>"
                          "</x></x></x></x></x></x></x></x></x></x></x></x></x></x></x></x> -->",
                          "<x>")),
            "refused");
  std::string ends;
  for (int i = 0; i < 60; ++i) ends += "</x>";
  EXPECT_EQ(key_of(nested(50, "<![CDATA[" + ends + "]]>", "<x>")), "refused");
  EXPECT_EQ(key_of(nested(50, "", "<x a=\"/>\">")), "refused");
  EXPECT_EQ(key_of(nested(50, "", "<x a='/>'>")), "refused");
}

TEST(XmlReader, RefusesWhatIsNoDocument) {
  const std::string bad[] = {
      key_xml("a") + key_xml("b"),
      key_xml("a") + "text",
      "text" + key_xml("a"),
      "<Delete><Object><Key>a</Key></Object>",
      "<Delete><Object><Key>a</Object></Key></Delete>",
      "<Delete><Object><Key>a<</Key></Object></Delete>",
      "<Delete><Object x=\"<\"><Key>a</Key></Object></Delete>",
      "<Delete><Object><Key>a</Key></Object></Delete",
      "<Delete><Object><Key>\xff</Key></Object></Delete>",
      "<Delete><Object></Object></Delete>",
      "<Delete><Object><Key></Key></Object></Delete>",
      "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
      "<Delete></Delete>",
      "<Delete/>",
      "<Delete><Other/></Delete>",
      "<!-- only -->",
  };
  for (const std::string& xml : bad) EXPECT_EQ(key_of(xml), "refused") << xml;
}

TEST(XmlReader, RefusesConditionsItWouldHaveToIgnore) {
  for (const std::string_view element : {"LastModifiedTime", "Size"}) {
    const auto request = parse_delete(
        fmt::format("<Delete><Object><Key>a</Key><{0}>5</{0}></Object></Delete>", element));
    ASSERT_FALSE(request.has_value());
    EXPECT_EQ(request.error().code, S3Code::not_implemented);
  }
}

TEST(XmlReader, HasLimits) {
  const auto objects = [](int count) {
    std::string xml = "<Delete>";
    for (int i = 0; i < count; ++i) xml += "<Object><Key>k</Key></Object>";
    return xml + "</Delete>";
  };
  EXPECT_TRUE(parse_delete(objects(1000)).has_value());
  EXPECT_FALSE(parse_delete(objects(1001)).has_value());
  const std::string pad(kXmlBytesMax - key_xml("a").size(), ' ');
  EXPECT_EQ(key_of(key_xml("a") + pad), "a");
  EXPECT_EQ(key_of(key_xml("a") + pad + " "), "refused");
}

// 4 MiB of "<x/>" would be a hundred MiB of nodes.
TEST(XmlReader, BoundsWhatItBuilds) {
  const auto with = [](int count, std::string_view piece) {
    std::string xml = "<Delete><Object><Key>k</Key>";
    for (int i = 0; i < count; ++i) xml += piece;
    return xml + "</Object></Delete>";
  };
  EXPECT_EQ(key_of(with(99'000, "<x/>")), "k");
  EXPECT_EQ(key_of(with(100'000, "<x/>")), "refused");
  EXPECT_EQ(key_of(with(1'000, "<x a='' b='' c=''/>")), "k");
  EXPECT_EQ(key_of(with(30'000, "<x a='' b='' c=''/>")), "refused");
}

TEST(XmlReader, ReadsTheLocationOfANewBucket) {
  EXPECT_EQ(parse_create_bucket(""), "");
  EXPECT_EQ(parse_create_bucket(" \n"), "");
  EXPECT_EQ(parse_create_bucket("<CreateBucketConfiguration/>"), "");
  EXPECT_EQ(parse_create_bucket("<CreateBucketConfiguration><LocationConstraint>eu-west-1"
                                "</LocationConstraint></CreateBucketConfiguration>"),
            "eu-west-1");
  EXPECT_EQ(parse_create_bucket("\xef\xbb\xbf<?xml version=\"1.0\"?><CreateBucketConfiguration/>"),
            "");
  EXPECT_FALSE(parse_create_bucket("<Other/>").has_value());
  EXPECT_FALSE(parse_create_bucket("rubbish").has_value());
}

TEST(XmlReader, UnquotesEtagsOnce) {
  EXPECT_EQ(unquote_etag("\"a\""), "a");
  EXPECT_EQ(unquote_etag("a"), "a");
  EXPECT_EQ(unquote_etag("\"\"a\"\""), "\"a\"");
  EXPECT_EQ(unquote_etag("\""), "\"");
  EXPECT_EQ(unquote_etag(""), "");
}

}  // namespace
}  // namespace turbine::s3
