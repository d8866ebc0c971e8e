"""The same comparison on AWS itself: functions under throwaway names, and what Lambda reports of their invocations."""
