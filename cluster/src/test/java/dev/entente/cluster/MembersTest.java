// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Other nodes neither redirect a member nor crowd members out by what they tell. */
class MembersTest {
  private static final long NOW = 1_763_802_000_000L;
  private static final NodeId SELF = new NodeId("a.1");
  private static final NodeId EU = new NodeId("eu.1");
  private static final NodeId LIAR = new NodeId("liar.1");

  private final Members members = new Members(SELF);

  private static Member member(NodeId node, String url, long stamp) {
    return new Member(node, url, stamp, false, NOW);
  }

  private List<Member> tell(NodeId teller, Member... told) {
    return members.learn(List.of(told), Optional.of(teller), NOW);
  }

  private String url(NodeId node) {
    return members.all().stream()
        .filter(each -> each.node().equals(node))
        .map(Member::url)
        .findFirst()
        .orElse("");
  }

  @Test
  void nobodyTellsANodeAboutItself() {
    members.say(member(SELF, "http://a", NOW));
    for (long stamp : new long[] {NOW + 1, Long.MAX_VALUE, Long.MAX_VALUE - 1}) {
      tell(LIAR, member(SELF, "http://liar", stamp));
      assertThat(members.self()).isEqualTo(member(SELF, "http://a", NOW + 2));
    }
  }

  @Test
  void whatANodeSaysOfItselfHoldsAgainstWhatOthersSay() {
    tell(LIAR, member(EU, "http://liar", Long.MAX_VALUE));
    tell(EU, member(EU, "http://eu", NOW));
    assertThat(url(EU)).isEqualTo("http://eu");
    tell(LIAR, member(EU, "http://liar", NOW + 5));
    assertThat(url(EU)).isEqualTo("http://eu");
    tell(EU, member(EU, "http://eu-moved", NOW + 9));
    assertThat(url(EU)).isEqualTo("http://eu-moved");
    tell(EU, member(EU, "http://eu", NOW));
    assertThat(url(EU)).as("what it said later holds").isEqualTo("http://eu-moved");
  }

  @Test
  void aTimeThatIsToComeIsToldAndLeavesRoomForLaterOnes() {
    for (long stamp : new long[] {Long.MAX_VALUE, NOW + Members.AHEAD_MAX_MILLIS + 1}) {
      Member early = member(EU, "http://eu", stamp);
      assertThat(tell(EU, early)).containsExactly(early);
      assertThat(members.all())
          .allMatch(each -> each.stampMillis() <= NOW + Members.AHEAD_MAX_MILLIS);
    }
    assertThat(tell(EU, member(EU, "http://eu", NOW + 1_000))).isEmpty();
  }

  @Test
  void inventedMembersAreBoundedAndMakeRoomForWhoSpeaks() {
    members.say(member(SELF, "http://a", NOW));
    tell(EU, member(EU, "http://eu", NOW));
    List<Member> invented = new ArrayList<>();
    for (int i = 0; i < 2 * Members.MAX; i++) {
      invented.add(member(new NodeId("aa" + i + ".1"), "http://x" + i, NOW));
    }
    assertThat(members.learn(invented, Optional.of(LIAR), NOW)).hasSize(Members.MAX + 2);
    assertThat(members.all()).hasSize(Members.MAX);
    NodeId late = new NodeId("us.1");
    assertThat(tell(late, member(late, "http://us", NOW))).isEmpty();
    assertThat(members.all()).hasSize(Members.MAX);
    assertThat(url(late)).isEqualTo("http://us");
    assertThat(url(EU)).isEqualTo("http://eu");
    assertThat(url(SELF)).isEqualTo("http://a");
  }
}
