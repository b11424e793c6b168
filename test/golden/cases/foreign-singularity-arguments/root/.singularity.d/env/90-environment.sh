#!/bin/sh
export A=b
