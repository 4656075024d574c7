"""Google's native API next to the OpenAI-compatible one: conversion of requests, and counting of tokens."""
