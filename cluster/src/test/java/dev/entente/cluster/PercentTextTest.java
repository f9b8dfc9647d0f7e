// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class PercentTextTest {
  @Test
  void everyTextComesBackAsItself() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (Character.getType(c) != Character.SURROGATE) {
        String text = " a" + Character.toString(c) + "+%41 ";
        assertThat(PercentText.decode(PercentText.encode(text))).isEqualTo(text);
        String header = PercentText.encodeHeader(text);
        assertThat(header.chars().allMatch(at -> at > ' ' && at < 0x7F)).isTrue();
        assertThat(PercentText.decode(header)).isEqualTo(text);
      }
    }
  }

  @Test
  void whatIsNotPercentEncodedUtf8IsRefused() {
    for (String wrong :
        List.of(
            "J\u00f6rg",
            "J\uFFFDrg",
            "J%F6rg",
            "%C3",
            "%C3%28",
            "%ED%A0%80",
            "%C0%80",
            "%F4%90%80%80",
            "100%",
            "100%a",
            "%zz",
            "%\uFF11\uFF11",
            "%+1",
            "%-1",
            "a\tb",
            "a\r\nb",
            "a\u007Fb")) {
      assertThatIllegalArgumentException().as(wrong).isThrownBy(() -> PercentText.decode(wrong));
    }
  }

  @Test
  void ordinaryNamesStandForThemselvesInAHeader() {
    for (String name : List.of("ann", "ann@example.org", "a+b", "oidc|4711", "o'neill")) {
      assertThat(PercentText.encodeHeader(name)).isEqualTo(name);
    }
  }
}
