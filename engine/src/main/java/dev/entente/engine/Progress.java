// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.vote.Certificate;
import dev.entente.core.vote.Poll;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How far the steps of a policy have come with a conflict that is waiting.
 *
 * @param step how many steps did not decide in time
 * @param nextAtMillis when the policy goes on by itself, in milliseconds since 1970; 0 for never
 * @param poll the vote that is being held
 * @param certificate the proof of the vote that decided
 */
public record Progress(
    int step, long nextAtMillis, Optional<Poll> poll, Optional<Certificate> certificate) {
  static final Progress NONE = new Progress(0, 0, Optional.empty(), Optional.empty());

  /** The same with a vote as it stands now. */
  public Progress with(Poll held) {
    return new Progress(step, nextAtMillis, Optional.of(held), certificate);
  }

  Progress certified(Certificate proof) {
    return new Progress(step, 0, poll, Optional.of(proof));
  }

  Json toJson() {
    Map<String, Json> members = new TreeMap<>();
    members.put("step", Json.of(step));
    members.put("nextAt", Json.of(nextAtMillis));
    poll.ifPresent(held -> members.put("poll", VoteJson.of(held)));
    certificate.ifPresent(proof -> members.put("certificate", VoteJson.of(proof)));
    return JsonObject.of(members);
  }

  static Progress fromJson(Json json) {
    if (!(json instanceof JsonObject object)
        || !(object.get("step") instanceof JsonNumber step)
        || !(object.get("nextAt") instanceof JsonNumber nextAt)) {
      return NONE;
    }
    return new Progress(
        (int) step.longValue(),
        nextAt.longValue(),
        Optional.of(object.get("poll")).filter(p -> !p.isAbsent()).map(VoteJson::poll),
        Optional.of(object.get("certificate"))
            .filter(c -> !c.isAbsent())
            .map(VoteJson::certificate));
  }
}
