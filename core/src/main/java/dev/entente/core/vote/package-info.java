// SPDX-License-Identifier: Apache-2.0
/**
 * Decisions by quorum: who may vote ({@link dev.entente.core.vote.Electorate}), what was said
 * ({@link dev.entente.core.vote.Ballot}), how it stands ({@link dev.entente.core.vote.Poll}), and
 * the proof of how it ended ({@link dev.entente.core.vote.Certificate}). Pure: no clock, no keys of
 * its own, no network.
 */
@NullMarked
package dev.entente.core.vote;

import org.jspecify.annotations.NullMarked;
