#include "s3/xml_writer.hpp"

#include <gtest/gtest.h>

namespace turbine::s3 {
namespace {

using namespace std::string_view_literals;

std::string text_of(std::string_view value) {
  XmlWriter xml;
  xml.element("K", value);
  std::string all = xml.take();
  const size_t begin = all.find("<K>") + 3;
  return all.substr(begin, all.find("</K>") - begin);
}

TEST(XmlWriter, WritesDocuments) {
  XmlWriter xml("Root");
  xml.open("Inner");
  xml.element("Text", "a");
  xml.element("Number", uint64_t{18'446'744'073'709'551'615U});
  xml.element("Yes", true);
  xml.close();
  xml.open_with_attributes("Other", "a=\"b\"");
  EXPECT_EQ(xml.take(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Root xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Inner><Text>a</Text>"
            "<Number>18446744073709551615</Number><Yes>true</Yes></Inner><Other a=\"b\">"
            "</Other></Root>");
}

TEST(XmlWriter, EscapesText) {
  EXPECT_EQ(text_of("</K><Evil>&\"'"), "&lt;/K&gt;&lt;Evil&gt;&amp;&quot;'");
  EXPECT_EQ(text_of("\r\n\t\x01\x1f\x7f"), "&#xd;&#xa;&#x9;&#x1;&#x1f;&#x7f;");
  EXPECT_EQ(text_of("a\0b"sv), "a&#x0;b");
  EXPECT_EQ(text_of("\xc3\xbc\xf0\x9f\x98\x80"), "\xc3\xbc\xf0\x9f\x98\x80");
  EXPECT_EQ(text_of(""), "");
}

// One name that is not UTF-8 must not make a whole listing unreadable.
TEST(XmlWriter, WritesNothingThatIsNotUtf8) {
  EXPECT_EQ(text_of("a\xff\xc3z\xe2\x82"), "a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(text_of("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(text_of("\xc3\xbc\x80\xc3\xbc"), "\xc3\xbc\xef\xbf\xbd\xc3\xbc");
}

}  // namespace
}  // namespace turbine::s3
