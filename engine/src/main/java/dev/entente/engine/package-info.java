// SPDX-License-Identifier: Apache-2.0
/**
 * One node: accepts writes into versions, derives views, takes decisions; durable over a {@link
 * dev.entente.engine.store.Store}.
 */
@NullMarked
package dev.entente.engine;

import org.jspecify.annotations.NullMarked;
