// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

/**
 * Something that should not be, as somebody who looks now sees it.
 *
 * @param rule what is broken, by its stable name
 * @param critical whether somebody is to be woken
 * @param tenant whose it is; empty where it concerns the node
 * @param subject what it is about within that, if there can be several: a peer, for example
 * @param patienceMillis for how long it may be so before anybody is told
 * @param summary one sentence for people
 * @param action what to do first
 */
public record Finding(
    String rule,
    boolean critical,
    String tenant,
    String subject,
    long patienceMillis,
    String summary,
    String action) {

  /** What makes two findings the same. */
  record Key(String rule, String tenant, String subject) {}

  Key key() {
    return new Key(rule, tenant, subject);
  }
}
