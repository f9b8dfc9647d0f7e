// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.vote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.Json;
import dev.entente.core.vote.Poll.Cast;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Votes: by majority, by weight, and with voters who lie. */
class PollTest {
  private static final Question QUESTION = new Question("c0ffee", "p1", 1);
  private static final Json HERE = Json.of("host-a");
  private static final Json THERE = Json.of("host-b");

  /** A voter with the key that only they have. */
  private record Signer(String name, KeyPair keys) {
    static Signer named(String name) {
      try {
        return new Signer(name, KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }

    Voter voter() {
      return new Voter(name, 1, Optional.of(text(keys.getPublic().getEncoded())));
    }

    Ballot says(Question question, Json value) {
      String key = text(keys.getPrivate().getEncoded());
      return new Ballot(name, value, Keys.sign(question.statement(name, value), key));
    }

    private static String text(byte[] key) {
      return Base64.getEncoder().encodeToString(key);
    }
  }

  private static Poll poll(Electorate electorate) {
    return Poll.open(QUESTION, electorate);
  }

  private static Voter plain(String name, int weight) {
    return new Voter(name, weight, Optional.empty());
  }

  private static Ballot unsigned(String voter, Json value) {
    return new Ballot(voter, value, "");
  }

  private static Poll counted(Poll poll, Ballot... ballots) {
    Poll result = poll;
    for (Ballot ballot : ballots) {
      assertThat(result.cast(ballot)).isInstanceOf(Cast.Counted.class);
      result = ((Cast.Counted) result.cast(ballot)).poll();
    }
    return result;
  }

  @Test
  void moreThanHalfDecides() {
    Electorate three = Electorate.of(List.of(plain("ann", 1), plain("bob", 1), plain("eve", 1)), 0);
    Poll poll = counted(poll(three), unsigned("ann", HERE));
    assertThat(poll.decided()).isEmpty();
    poll = counted(poll, unsigned("bob", THERE));
    assertThat(poll.decided()).isEmpty();
    assertThat(poll.isHung()).isFalse();
    poll = counted(poll, unsigned("eve", THERE));
    assertThat(poll.decided()).contains(THERE);
  }

  @Test
  void weightsCount() {
    Electorate weighted = Electorate.of(List.of(plain("lead", 3), plain("a", 1), plain("b", 1)), 0);
    assertThat(weighted.quorum()).isEqualTo(3);
    assertThat(counted(poll(weighted), unsigned("lead", HERE)).decided()).contains(HERE);
    assertThat(counted(poll(weighted), unsigned("a", HERE), unsigned("b", HERE)).decided())
        .isEmpty();
  }

  @Test
  void aTieIsHungAndTheNextRoundStartsAfresh() {
    Electorate two = Electorate.of(List.of(plain("ann", 1), plain("bob", 1)), 0);
    Poll tied = counted(poll(two), unsigned("ann", HERE), unsigned("bob", THERE));
    assertThat(tied.isHung()).isTrue();
    Poll again = tied.nextRound();
    assertThat(again.question().round()).isEqualTo(2);
    assertThat(again.isHung()).isFalse();
    assertThat(counted(again, unsigned("ann", HERE), unsigned("bob", HERE)).decided())
        .contains(HERE);
  }

  @Test
  void strangersForgedSignaturesAndChangedMindsAreRefused() {
    Signer ann = Signer.named("ann");
    Electorate electorate = Electorate.of(List.of(ann.voter(), plain("bob", 1)), 0);
    Poll poll = counted(poll(electorate), unsigned("bob", HERE));
    assertThat(poll.cast(unsigned("mallory", HERE))).isInstanceOf(Cast.Refused.class);
    assertThat(poll.cast(unsigned("ann", HERE))).isInstanceOf(Cast.Refused.class);
    assertThat(poll.cast(Signer.named("ann").says(QUESTION, HERE)))
        .isInstanceOf(Cast.Refused.class);
    assertThat(poll.cast(ann.says(QUESTION.next(), HERE))).isInstanceOf(Cast.Refused.class);
    assertThat(poll.cast(new Ballot("bob", THERE, ann.says(QUESTION, THERE).signature())))
        .isInstanceOf(Cast.Refused.class);
    assertThat(poll.cast(unsigned("bob", THERE))).isInstanceOf(Cast.Refused.class);
    assertThat(poll.cast(unsigned("bob", HERE))).isEqualTo(new Cast.Counted(poll));
  }

  @Test
  void oneLiarOfFourIsCaughtAndDoesNotDecide() {
    List<Signer> signers =
        List.of(Signer.named("n1"), Signer.named("n2"), Signer.named("n3"), Signer.named("liar"));
    Electorate four = Electorate.of(signers.stream().map(Signer::voter).toList(), 1);
    assertThat(four.quorum()).isEqualTo(3);
    Signer liar = signers.get(3);
    Poll poll = counted(poll(four), signers.get(0).says(QUESTION, HERE), liar.says(QUESTION, HERE));
    Cast second = poll.cast(liar.says(QUESTION, THERE));
    assertThat(second)
        .isInstanceOfSatisfying(
            Cast.Equivocated.class,
            caught -> {
              assertThat(caught.evidence().voter()).isEqualTo("liar");
              assertThat(caught.poll().tally()).containsOnly(java.util.Map.entry(HERE, 1L));
              Poll after =
                  counted(
                      caught.poll(),
                      signers.get(1).says(QUESTION, HERE),
                      signers.get(2).says(QUESTION, HERE));
              assertThat(after.decided()).contains(HERE);
              assertThat(after.cast(liar.says(QUESTION, HERE))).isInstanceOf(Cast.Refused.class);
              Certificate proof = after.certificate().orElseThrow();
              assertThat(proof.problems()).isEmpty();
              assertThat(proof.equivocations()).hasSize(1);
            });
  }

  @Test
  void aCertificateProvesItsDecisionAndNoOther() {
    List<Signer> signers =
        List.of(Signer.named("a"), Signer.named("b"), Signer.named("c"), Signer.named("d"));
    Electorate four = Electorate.of(signers.stream().map(Signer::voter).toList(), 1);
    List<Ballot> ballots =
        signers.stream().limit(3).map(signer -> signer.says(QUESTION, HERE)).toList();
    assertThat(new Certificate(QUESTION, four, HERE, ballots, List.of()).problems()).isEmpty();
    assertThat(new Certificate(QUESTION, four, THERE, ballots, List.of()).problems()).isNotEmpty();
    assertThat(new Certificate(QUESTION.next(), four, HERE, ballots, List.of()).problems())
        .isNotEmpty();
    assertThat(new Certificate(QUESTION, four, HERE, ballots.subList(0, 2), List.of()).problems())
        .singleElement()
        .asString()
        .contains("weigh 2; a decision needs 3 of 4");
    List<Ballot> twice = List.of(ballots.get(0), ballots.get(0), ballots.get(1));
    assertThat(new Certificate(QUESTION, four, HERE, twice, List.of()).problems())
        .contains("a is counted twice");
  }

  @Test
  void anElectorateThatCouldNotDecideSafelyIsRefused() {
    List<Voter> three =
        List.of(Signer.named("a").voter(), Signer.named("b").voter(), Signer.named("c").voter());
    assertThatThrownBy(() -> Electorate.of(three, 1)).hasMessageContaining("at least 4");
    assertThatThrownBy(() ->
            Electorate.of(List.of(plain("a", 1), plain("b", 1), plain("c", 1), plain("d", 1)), 1))
        .hasMessageContaining("key");
    assertThatThrownBy(() -> Electorate.of(List.of(), 0)).hasMessageContaining("between 1");
  }

  /** Whatever liars tell different nodes, no two of them come to different decisions. */
  @Test
  void twoNodesNeverCertifyDifferentValuesWhileAtMostFLie() {
    List<Signer> signers = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      signers.add(Signer.named("n" + i));
    }
    Electorate seven = Electorate.of(signers.stream().map(Signer::voter).toList(), 2);
    for (int seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      Poll left = poll(seven);
      Poll right = poll(seven);
      List<Signer> order = new ArrayList<>(signers);
      Collections.shuffle(order, random);
      for (int i = 0; i < order.size(); i++) {
        Json said = random.nextBoolean() ? HERE : THERE;
        Json toldRight = i < 2 ? (said.equals(HERE) ? THERE : HERE) : said;
        left = counted(left, order.get(i).says(QUESTION, said));
        right = counted(right, order.get(i).says(QUESTION, toldRight));
      }
      if (left.decided().isPresent() && right.decided().isPresent()) {
        assertThat(left.decided()).as("seed %d", seed).isEqualTo(right.decided());
      }
    }
  }
}
