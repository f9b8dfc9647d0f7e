// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.core.vote.Ballot;
import dev.entente.core.vote.Certificate;
import dev.entente.core.vote.Electorate;
import dev.entente.core.vote.Poll;
import dev.entente.core.vote.Question;
import dev.entente.core.vote.Voter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Votes and certificates as JSON; format 1 of {@code docs/formats}. */
public final class VoteJson {
  private static final String FORMAT = "entente-certificate-1";

  private VoteJson() {}

  /** A certificate as it is kept, shown and checked. */
  public static JsonObject of(Certificate certificate) {
    Map<String, Json> members = new TreeMap<>(question(certificate.question()));
    members.put("format", Json.of(FORMAT));
    electorate(members, certificate.electorate());
    value(members, certificate.value());
    members.put("ballots", ballots(certificate.ballots()));
    members.put("equivocations", equivocations(certificate.equivocations()));
    return JsonObject.of(members);
  }

  /**
   * A certificate from its JSON.
   *
   * @throws IllegalArgumentException where it is none
   */
  public static Certificate certificate(Json json) {
    JsonObject object = object(json);
    if (!object.get("format").equals(Json.of(FORMAT))) {
      throw new IllegalArgumentException("not a certificate of the format " + FORMAT);
    }
    return new Certificate(
        question(object),
        electorate(object),
        object.get("value"),
        ballots(object.get("ballots")),
        equivocations(object.get("equivocations")));
  }

  static JsonObject of(Poll poll) {
    Map<String, Json> members = new TreeMap<>(question(poll.question()));
    electorate(members, poll.electorate());
    members.put("ballots", ballots(poll.ballots().values()));
    members.put("equivocations", equivocations(poll.equivocations()));
    return JsonObject.of(members);
  }

  static Poll poll(Json json) {
    JsonObject object = object(json);
    TreeMap<String, Ballot> byVoter = new TreeMap<>();
    ballots(object.get("ballots")).forEach(ballot -> byVoter.put(ballot.voter(), ballot));
    return new Poll(
        question(object),
        electorate(object),
        SortedArrayMap.copyOf(byVoter),
        equivocations(object.get("equivocations")));
  }

  private static Map<String, Json> question(Question question) {
    return Map.of(
        "conflict", Json.of(question.conflict()),
        "policy", Json.of(question.policy()),
        "round", Json.of(question.round()));
  }

  private static Question question(JsonObject object) {
    return new Question(text(object, "conflict"), text(object, "policy"), number(object, "round"));
  }

  private static void electorate(Map<String, Json> members, Electorate electorate) {
    Map<String, Json> voters = new TreeMap<>();
    electorate
        .voters()
        .forEach((name, voter) -> {
          JsonObject of = JsonObject.of("weight", Json.of(voter.weight()));
          voters.put(name, voter.key().map(key -> of.with("key", Json.of(key))).orElse(of));
        });
    members.put("voters", JsonObject.of(voters));
    members.put("faulty", Json.of(electorate.faulty()));
    members.put("quorum", Json.of(electorate.quorum()));
  }

  private static Electorate electorate(JsonObject object) {
    List<Voter> voters = new ArrayList<>();
    object(object.get("voters"))
        .members()
        .forEach((name, of) -> {
          JsonObject voter = object(of);
          voters.add(
              new Voter(
                  name,
                  number(voter, "weight"),
                  voter.get("key").isAbsent()
                      ? Optional.empty()
                      : Optional.of(text(voter, "key"))));
        });
    return Electorate.of(voters, number(object, "faulty"));
  }

  private static Json ballots(List<Ballot> ballots) {
    return Json.of(ballots.stream().map(VoteJson::ballot).toList());
  }

  private static List<Ballot> ballots(Json json) {
    return array(json).stream().map(VoteJson::ballot).toList();
  }

  private static Json ballot(Ballot ballot) {
    Map<String, Json> members = new TreeMap<>();
    members.put("voter", Json.of(ballot.voter()));
    value(members, ballot.value());
    if (!ballot.signature().isEmpty()) {
      members.put("signature", Json.of(ballot.signature()));
    }
    return JsonObject.of(members);
  }

  private static Ballot ballot(Json json) {
    JsonObject object = object(json);
    return new Ballot(
        text(object, "voter"),
        object.get("value"),
        object.get("signature").isAbsent() ? "" : text(object, "signature"));
  }

  /** A removal is a value that is not there. */
  private static void value(Map<String, Json> members, Json value) {
    if (!value.isAbsent()) {
      members.put("value", value);
    }
  }

  private static Json equivocations(List<Poll.Equivocation> equivocations) {
    return Json.of(
        equivocations.stream()
            .map(lie -> (Json) new JsonArray(List.of(ballot(lie.first()), ballot(lie.second()))))
            .toList());
  }

  private static List<Poll.Equivocation> equivocations(Json json) {
    List<Poll.Equivocation> equivocations = new ArrayList<>();
    for (Json pair : array(json)) {
      List<Json> both = array(pair);
      if (both.size() != 2) {
        throw new IllegalArgumentException("an equivocation is two ballots");
      }
      equivocations.add(new Poll.Equivocation(ballot(both.getFirst()), ballot(both.getLast())));
    }
    return equivocations;
  }

  private static JsonObject object(Json json) {
    if (json instanceof JsonObject object) {
      return object;
    }
    throw new IllegalArgumentException("an object was expected, not " + json);
  }

  private static List<Json> array(Json json) {
    if (json instanceof JsonArray array) {
      return array.items();
    }
    throw new IllegalArgumentException("an array was expected, not " + json);
  }

  private static String text(JsonObject object, String name) {
    if (object.get(name) instanceof JsonString(String text)) {
      return text;
    }
    throw new IllegalArgumentException(name + " takes a text");
  }

  private static int number(JsonObject object, String name) {
    if (object.get(name) instanceof JsonNumber number
        && number.isLong()
        && Math.abs(number.longValue()) <= Integer.MAX_VALUE) {
      return (int) number.longValue();
    }
    throw new IllegalArgumentException(name + " takes a whole number");
  }
}
