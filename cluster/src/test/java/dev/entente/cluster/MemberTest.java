// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a node may be said to be reached. */
class MemberTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"", "http://10.0.0.1:7400", "https://node-1.example.com", "http://[::1]:7400"})
  void webAddressesAreTaken(String url) {
    assertThat(Member.problemWithUrl(url)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)//http://a",
        "file:///etc/passwd",
        "data:text/html,x",
        "ftp://a",
        "node-1:7400",
        "//a:7400",
        "http:a",
        "http://",
        "http://user:secret@a",
        "http://a/?b",
        "http://a/#b",
        "http://a\nb",
        " http://a",
        "http://a/\"onclick=x"
      })
  void whatIsNoWebAddressIsRefused(String url) {
    assertThat(Member.problemWithUrl(url)).isPresent();
  }
}
