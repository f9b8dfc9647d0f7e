// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

/**
 * Every message that one node sends to another over HTTP, as method and path behind {@link
 * HttpTransport#BASE}. Besides these a node sends on requests of clients, and voters speak at a
 * port of their own. A constant that is added here needs a route and lies in the tests.
 */
public enum NodeMessage {
  /** What the asker lacks of a node's log, and what nodes tell of themselves. */
  PULL("POST", "pull"),
  /** What a record holds. */
  READ("GET", "read/{tenant}/{type}/{id}"),
  /** Sums over all records. */
  DIGEST("GET", "digest"),
  /** The records of one sum. */
  BUCKET("GET", "buckets/{bucket}"),
  /** All versions of a record. */
  VERSIONS("GET", "versions/{tenant}/{type}/{id}"),
  /** What a node has of all nodes. */
  KNOWN("GET", "known"),
  /** Sums over versions of an author. */
  SUMS("GET", "sums/{author}/{after}/{last}"),
  /** Hashes of versions of an author. */
  HASHES("GET", "hashes/{author}/{after}/{last}"),
  /** Versions of an author by number. */
  NUMBERS("GET", "numbers/{author}/{after}/{last}"),
  /** All that a node holds, for a new node. */
  COPY("GET", "copy"),
  /** Votes of reviewers that are open. */
  POLLS("GET", "polls"),
  /** A change of a lock, for the node that leads the voters. */
  LOCK("POST", "lock"),
  /** A strategy for a split, for the node that leads the voters. */
  SPLIT_BRAIN("POST", "split-brain"),
  /** Whether a node may vote. */
  SEAT("POST", "seat"),
  /** A change of the voters, for the node that leads them. */
  VOTERS("POST", "voters");

  private final String method;
  private final String path;

  NodeMessage(String method, String path) {
    this.method = method;
    this.path = path;
  }

  public String method() {
    return method;
  }

  /** Its path, with placeholders in braces. */
  public String path() {
    return HttpTransport.BASE + path;
  }

  /** The path behind {@link HttpTransport#BASE}, as {@link Transport} takes it. */
  public String question() {
    return path;
  }
}
